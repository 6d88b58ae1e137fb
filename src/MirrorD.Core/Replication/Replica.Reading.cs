using MirrorD.Core.Handshake;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// A whole copy that nobody writes to can be read, above all one that is to be given up after a split brain. That ends
/// with the first step that leads to other data, in the same event: a read is answered with what was there before it, or
/// not at all.
/// </summary>
public sealed partial class Replica
{
    /// <summary>
    /// This copy is whole and nothing is written to it: a Standby without link, or in a handshake that has not led to
    /// anything. A join ends it with its decision, long before its first write, whichever side is the source.
    /// </summary>
    public bool StandsStill => Failure is null && !IsDiskless && !_stopping && Role == Role.Standby
        && State.DiskState > DiskState.Inconsistent
        && (Phase == LinkPhase.Down || (Phase == LinkPhase.Joining
            && _decision is not ({ Joins: true } or { Action: HandshakeAction.ServeDiskless })));

    /// <summary>Why this copy may not be opened for reading as things are; null when it may.</summary>
    public (string Message, string? Remedy)? RefusalOfReading()
    {
        string resource = _settings.Resource;
        return Failure is not null || IsDiskless ? ("no disk is attached", $"mirrorctl explain {resource}")
            : Role == Role.Primary
                ? ("this node is Primary: its clients have the volumes, and change them", "mirrorctl status")
            : State.DiskState <= DiskState.Inconsistent
                ? ("this copy is a mixture of old and new data", $"mirrorctl explain {resource}")
            : !StandsStill
                ? ($"{_settings.PeerName} is connected and writes to this copy", $"read it on {_settings.PeerName}")
            // What was received before the link was lost may still be on its way to the disk.
            : _busy > 0 || _promotion is not null || _discard is not null ? ("another change is under way", "try again")
            : null;
    }
}
