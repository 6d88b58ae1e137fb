namespace MirrorD.Daemon.Reports;

/// <summary>Wakes those who wait for the next change of anything shown in the status.</summary>
internal sealed class ChangeSignal
{
    private TaskCompletionSource _next = New();

    /// <summary>Ends with the next change after this was read.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    /// <summary>Something changed; never blocks.</summary>
    public void Changed() => Interlocked.Exchange(ref _next, New()).SetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
