namespace MirrorD.Daemon.Resources;

/// <summary>A disk can't be opened now, and may be later.</summary>
/// <param name="problem">Which and why, without a full stop.</param>
/// <param name="isBusy">Somebody has it; else it is not there.</param>
internal sealed class DiskAwaitedException(string problem, bool isBusy) : Exception(problem)
{
    public bool IsBusy { get; } = isBusy;
}
