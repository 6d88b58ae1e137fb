namespace MirrorD.Engine.Control;

/// <summary>
/// A snapshot of the data of all volumes of a resource at one point. Called on the loop's thread, one call at a time but
/// for <see cref="Drop"/>; answers come back on the loop's thread.
/// </summary>
public interface ISnapshots
{
    /// <summary>When the one was taken that is there; null when there is none. Any thread.</summary>
    DateTimeOffset? TakenAt { get; }

    /// <summary>
    /// Takes one of all volumes or of none, in place of an older one. Nothing is under way on the disks meanwhile.
    /// </summary>
    /// <param name="keeps">It stays until an operator removes it, and has nothing to do with the others.</param>
    /// <param name="ended">Null when it is there; else why not, one clause.</param>
    void Take(bool keeps, Action<string?> ended);

    /// <summary>
    /// Copies what it holds back to the data of all volumes, durably. Nobody uses them. May be done again after a failure.
    /// </summary>
    /// <param name="dataBytes">Length of each volume's data.</param>
    /// <param name="ended">Null when all is back; else why not, one clause.</param>
    void Restore(IReadOnlyList<long> dataBytes, Action<string?> ended);

    /// <summary>Removes it, if there is one that is not to be kept.</summary>
    void Drop();
}
