using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux.Uring;

/// <summary>
/// Pending operations by the index that the kernel carries in user data. Grows by doubling to the largest
/// number that was ever pending at once, then allocates no more.
/// </summary>
internal sealed class OperationTable
{
    private LoopOperation?[] _operations = new LoopOperation?[256];
    private int[] _free = new int[256];
    private int _freeCount;

    public OperationTable()
    {
        FreeFrom(0);
    }

    /// <summary>Operations that the kernel has not answered yet.</summary>
    public int Pending => _operations.Length - _freeCount;

    public void Add(LoopOperation operation)
    {
        if (_freeCount == 0)
        {
            int length = _operations.Length;
            Array.Resize(ref _operations, 2 * length);
            Array.Resize(ref _free, 2 * length);
            FreeFrom(length);
        }

        operation.Index = _free[--_freeCount];
        operation.Submission++;
        _operations[operation.Index] = operation;
    }

    /// <summary>The operation that this user data was given to.</summary>
    public LoopOperation Get(ulong userData)
    {
        LoopOperation? operation = _operations[(int)(uint)userData];
        if (operation is null || operation.UserData != userData)
        {
            throw new InvalidOperationException("The kernel completed an operation that is not pending.");
        }

        return operation;
    }

    public void Remove(LoopOperation operation)
    {
        _operations[operation.Index] = null;
        _free[_freeCount++] = operation.Index;
        operation.Index = -1;
    }

    public void ForEach(Action<LoopOperation> action)
    {
        foreach (LoopOperation? operation in _operations)
        {
            if (operation is not null)
            {
                action(operation);
            }
        }
    }

    private void FreeFrom(int first)
    {
        for (int i = _operations.Length - 1; i >= first; i--)
        {
            _free[_freeCount++] = i;
        }
    }
}
