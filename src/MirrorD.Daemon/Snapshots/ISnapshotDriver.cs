namespace MirrorD.Daemon.Snapshots;

/// <summary>
/// How snapshots of the volumes of a resource are made where they lie. Everything may wait for disks and programs; one call
/// at a time. What goes wrong is an <see cref="IOException"/>.
/// </summary>
internal interface ISnapshotDriver
{
    /// <summary>When the one was taken that all volumes have; null when there is none, or only of some.</summary>
    DateTimeOffset? Find();

    /// <summary>Takes one of all volumes, durably. When it fails nothing of it is left.</summary>
    /// <param name="keptAs">
    /// Null for the one that is found, gone back to and removed; else the ending of one that stays.
    /// </param>
    /// <param name="tooLate">Nobody waits for it any more: it is not to be found by anybody.</param>
    void Create(string? keptAs, CancellationToken tooLate);

    /// <summary>Copies it back to the data of all volumes, durably.</summary>
    /// <param name="dataBytes">Length of each volume's data.</param>
    void CopyBack(IReadOnlyList<long> dataBytes);

    /// <summary>Removes it, and what an interrupted one has left.</summary>
    void Remove();
}
