using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// Whether block devices that an earlier daemon left behind have to go. They wait while this node may resume the role:
/// a restart joins as Standby, which ends the note that it was Primary, and has the role back a moment later. They go once
/// somebody else has had the role, or nobody would have resumed it: what waits in them must not become old data of a later
/// role. Found in what the engine publishes, in its order.
/// </summary>
internal sealed class LeftDevices
{
    private ulong? _promotions;
    private bool _isDecided;

    /// <summary>True once, when they have to go. From then on, and once this node is Primary, there are none left.</summary>
    public bool HaveToGo(ResourceStatus status)
    {
        if (_isDecided || status.Volumes.Count == 0)
        {
            // Or the metadata has not been read yet.
            return false;
        }

        // As the earlier daemon stored it. Each promotion raises it, on both nodes at the latest when they join; one that
        // this node begins also notes that it was Primary.
        bool isFirst = _promotions is null;
        _promotions ??= status.Promotions;
        bool isOver = status.PeerRole == Role.Primary
            || (!status.WasPrimary && (isFirst || status.Promotions != _promotions));
        bool haveToGo = status.Role == Role.Standby && isOver;
        _isDecided = haveToGo || status.Role == Role.Primary;
        return haveToGo;
    }
}
