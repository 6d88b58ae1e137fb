using MirrorD.Io.Linux;

namespace MirrorD.Io.Tests.Linux;

/// <summary>Runs a loop of a test until a condition holds, looked at after each completion.</summary>
internal sealed class LoopDriver : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<IoBuffer> _buffers = [];

    public LoopDriver(LoopKind kind = LoopKind.Uring)
        : this(LoopFactory.Of(kind).Create())
    {
    }

    public LoopDriver(LinuxLoop loop) => Loop = loop;

    public LinuxLoop Loop { get; }

    public void Dispose()
    {
        Loop.Dispose();
        _buffers.ForEach(buffer => buffer.Dispose());
    }

    public BufferSlice Buffer(int lengthBytes)
    {
        var buffer = new IoBuffer(lengthBytes);
        _buffers.Add(buffer);
        return buffer.Slice(0, lengthBytes);
    }

    /// <summary>An operation after whose completions the condition is looked at.</summary>
    public IoOperation Operation(Action<IoOperation>? then = null) => new(operation =>
    {
        then?.Invoke(operation);
        Loop.Stop();
    });

    public void RunUntil(Func<bool> isDone, string waitedFor)
    {
        bool isLate = false;
        using var watchdog = new Timer(
            _ =>
            {
                Volatile.Write(ref isLate, true);
                Loop.Stop();
            },
            null, Patience, Timeout.InfiniteTimeSpan);
        while (!isDone() && !Volatile.Read(ref isLate))
        {
            Loop.Run();
        }

        Assert.True(isDone(), $"waited {Patience.TotalSeconds} s for {waitedFor}");
    }

    public int Do(Action<IoOperation> submit)
    {
        IoOperation operation = Operation();
        submit(operation);
        RunUntil(() => !operation.IsPending, $"completion of {operation.Kind}");
        return operation.Result;
    }

    public (IConnection Client, IConnection Server) Connect(IListener listener, Endpoint? endpoint = null)
    {
        IoOperation accept = Operation();
        IoOperation connect = Operation();
        Loop.Accept(listener, accept);
        Loop.Connect(endpoint ?? listener.Endpoint, 5_000_000_000, connect);
        RunUntil(() => !accept.IsPending && !connect.IsPending, "accept and connect");
        Assert.Equal((0, 0), (accept.Result, connect.Result));
        return (connect.Connection!, accept.Connection!);
    }
}
