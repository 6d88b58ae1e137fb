using MirrorD.Engine.Latency;
using MirrorD.Io;

namespace MirrorD.Engine;

/// <summary>
/// One volume as its clients (NBD sessions) see it: the mirrored volume of a resource, or in tests a bare disk.
/// All members are used on the loop's thread only.
/// </summary>
public interface IVolumeFrontend
{
    /// <summary>Export name, "resource/volume".</summary>
    string Name { get; }

    /// <summary>Size in bytes.</summary>
    long LengthBytes { get; }

    /// <summary>Requests are aligned to this (512 or 4096).</summary>
    int BlockBytes { get; }

    /// <summary>
    /// A discard gives room back on this node. Else it would write zeroes, so that clients should not ask for one; on the
    /// other node it may be so nevertheless.
    /// </summary>
    bool CanTrim { get; }

    /// <summary>Nothing can be changed: what would is refused before it gets here.</summary>
    bool IsReadOnly => false;

    /// <summary>
    /// Null when the volume can be opened now; else why not, for the client: e.g.
    /// "resource mail is Standby here; the Primary is node a".
    /// </summary>
    string? Unavailable { get; }

    /// <summary>Slots for requests' data, shared by all sessions of the resource.</summary>
    BufferPool Buffers { get; }

    /// <summary>Where the time of requests is noted; null where nobody does.</summary>
    VolumeLoad? Load => null;

    /// <summary>Runs a request; always completes it later through its callback, never before returning.</summary>
    void Submit(IoRequest request);

    /// <summary>
    /// Allocation query for block status: the operation completes with the run's length and kind, as
    /// <see cref="IIoLoop.QueryAllocation"/>.
    /// </summary>
    void QueryAllocation(long offset, long lengthBytes, IoOperation operation);

    /// <summary>Registers somebody to be told (on the loop's thread) when a slot was returned; one-shot.</summary>
    void WhenBufferFree(Action resume);
}
