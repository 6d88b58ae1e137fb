namespace MirrorD.Daemon.Devices;

/// <summary>
/// The kernel's block device of one volume, whichever driver makes it. Members may be called from any thread; what they
/// do takes turns.
/// </summary>
internal interface IVolumeDevice
{
    /// <summary>Where programs find it; null while it is not served by this daemon.</summary>
    string? Path { get; }

    /// <summary>
    /// Puts it in place and serves it: makes it, or goes on with the one that an earlier daemon left. Once in place it
    /// is kept so until <see cref="Detach"/>.
    /// </summary>
    /// <param name="wanted">Cancelled on the loop's thread: then nothing more is served.</param>
    /// <exception cref="IOException">It can't be; the message names cause and remedy. To be tried again.</exception>
    /// <exception cref="OperationCanceledException">It is no longer wanted.</exception>
    Task Attach(CancellationToken wanted);

    /// <summary>The volume is larger than before: the device gets its size, also while it is in use.</summary>
    /// <exception cref="IOException">The kernel refused. The next <see cref="Attach"/> makes up for it.</exception>
    Task Grow();

    /// <summary>Takes it away, also from whoever uses it: their requests fail.</summary>
    /// <exception cref="IOException">The kernel refused. To be tried again.</exception>
    Task Detach();

    /// <summary>
    /// Who uses it, a clause each, as "/dev/mirrord/mail/data is mounted at /srv/mail"; empty when nobody does or it is
    /// not there. Also of one that an earlier daemon left and that this one does not serve yet.
    /// </summary>
    /// <exception cref="IOException">The kernel does not tell.</exception>
    Task<IReadOnlyList<string>> Users();

    /// <summary>
    /// This daemon ends though the device is in use, and nobody knows for how long: what waits for it then fails after a
    /// while, instead of hanging.
    /// </summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    Task FailWithoutServer();
}
