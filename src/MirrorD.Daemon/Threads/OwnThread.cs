using System.Collections.Concurrent;

namespace MirrorD.Daemon.Threads;

/// <summary>
/// A thread that waits for work, so that it depends neither on the thread pool nor on what a loop can afford.
/// Work is done one after the other.
/// </summary>
internal sealed class OwnThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly TaskCreationOptions _continuations;

    /// <summary>Starts the thread.</summary>
    /// <param name="name">Of the thread.</param>
    /// <param name="continuesHere">
    /// Whoever awaits a result goes on in this thread, and has to be quick. Else in the thread pool, where all may wait for
    /// memory just then.
    /// </param>
    public OwnThread(string name, bool continuesHere = false)
    {
        _continuations = continuesHere ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously;
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    /// <summary>Has the thread do this; returns at once.</summary>
    /// <returns>Its result.</returns>
    public Task<T> Do<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(_continuations);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception failed)
            {
                done.SetException(failed);
            }
        });
        return done.Task;
    }

    /// <summary>Ends the thread when its work is done.</summary>
    public void Dispose() => _work.CompleteAdding();

    private void Run()
    {
        foreach (Action work in _work.GetConsumingEnumerable())
        {
            work();
        }
    }
}
