namespace MirrorD.Daemon.Takeover;

/// <summary>The service addresses of a resource.</summary>
internal interface IServiceAddresses
{
    /// <summary>
    /// Adds all of them and announces them, unless <paramref name="mayHold"/> was cancelled before, or
    /// <see cref="Release"/> was called meanwhile. What can't be added is tried again. Returns at once.
    /// </summary>
    /// <returns>What failed, one sentence each; empty when all are held.</returns>
    Task<IReadOnlyList<string>> Acquire(CancellationToken mayHold);

    /// <summary>
    /// Removes all of them; ends when they are gone. Wins over an addition that runs. Returns at once.
    /// </summary>
    Task Release();
}
