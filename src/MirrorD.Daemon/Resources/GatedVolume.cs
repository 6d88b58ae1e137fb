using MirrorD.Engine;
using MirrorD.Engine.Latency;
using MirrorD.Io;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// A volume that clients may open only while this daemon lets them, so that nobody comes back between the end
/// of the sessions and the end of the role. On the loop's thread only.
/// </summary>
internal sealed class GatedVolume(IVolumeFrontend volume, string closedReason) : IVolumeFrontend
{
    /// <summary>Clients may open the volume, as far as the engine lets them.</summary>
    public bool IsOpen { get; set; }

    public string Name => volume.Name;

    public long LengthBytes => volume.LengthBytes;

    public int BlockBytes => volume.BlockBytes;

    public bool CanTrim => volume.CanTrim;

    public string? Unavailable => volume.Unavailable ?? (IsOpen ? null : closedReason);

    public BufferPool Buffers => volume.Buffers;

    public VolumeLoad? Load => volume.Load;

    public void Submit(IoRequest request) => volume.Submit(request);

    public void QueryAllocation(long offset, long lengthBytes, IoOperation operation) =>
        volume.QueryAllocation(offset, lengthBytes, operation);

    public void WhenBufferFree(Action resume) => volume.WhenBufferFree(resume);
}
