using System.Net;

namespace MirrorD.Io;

/// <summary>An opened block device or preallocated file. Opened outside the loop, used through it.</summary>
public interface IDisk
{
    /// <summary>Name for messages: the path.</summary>
    string Name { get; }

    /// <summary>Size in bytes, as it was when the disk was opened, or last looked at.</summary>
    long LengthBytes { get; }

    /// <summary>Offsets and lengths of reads and writes are multiples of this (512 or 4096).</summary>
    int LogicalBlockBytes { get; }

    /// <summary>Discard gives room back (contents then undefined or zero).</summary>
    bool CanDiscard { get; }

    /// <summary>Zeroing that may give room back does so, instead of writing zeroes.</summary>
    bool UnmapsZeroes => CanDiscard;

    /// <summary>Looks whether the disk was enlarged. What can't be told leaves the size as it is known.</summary>
    void LookAgain()
    {
    }

    /// <summary>Releases the disk. No operation may be pending.</summary>
    void Close();
}

/// <summary>A connected stream socket, owned by one loop.</summary>
public interface IConnection
{
    /// <summary>Description of the other end for messages.</summary>
    string Name { get; }

    /// <summary>Address of the other end; null when it has none, or it is not known.</summary>
    IPAddress? RemoteAddress { get; }

    /// <summary>
    /// Closes at once. Pending operations of this connection complete with -ECANCELED (or their own result)
    /// inside a later turn of Run; none completes after that. Idempotent.
    /// </summary>
    void Close();
}

/// <summary>A listening socket, owned by one loop.</summary>
public interface IListener
{
    /// <summary>Where it listens.</summary>
    Endpoint Endpoint { get; }

    /// <summary>
    /// Who may connect from now on; others hear nothing and ask again by themselves, later. Who waits to be accepted stays. As far
    /// as the kernel can: to be used against load, not for protection.
    /// </summary>
    /// <param name="callers">Addresses; null: everybody, as in the beginning.</param>
    void LetIn(IReadOnlyList<IPAddress>? callers);

    /// <summary>Stops listening; a pending accept completes with -ECANCELED. Idempotent.</summary>
    void Close();
}
