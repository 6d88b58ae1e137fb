using MirrorD.Engine.Latency;
using MirrorD.Io;
using MirrorD.Engine.Replication;

namespace MirrorD.Engine;

/// <summary>What the engine keeps with a request while it has it.</summary>
public sealed partial class IoRequest : ISendOwner
{
    private bool _isSending;
    private bool _isDecided;

    /// <summary>When it was where.</summary>
    internal RequestTimes Times;

    /// <summary>The operation on the backing disk; made at the first submission, then reused.</summary>
    internal IoOperation? Local { get; set; }

    /// <summary>A zero with FUA: the zero itself is done, its flush is under way.</summary>
    internal bool IsFlushing { get; set; }

    /// <summary>Its data is being sent to the peer from the slot.</summary>
    internal void BeginSend() => _isSending = true;

    /// <summary>The replica is done with it; the client gets it once nothing uses its slot any more.</summary>
    internal void Decide(int error)
    {
        Error = error;
        if (_isSending)
        {
            _isDecided = true;
        }
        else
        {
            Complete(error);
        }
    }

    /// <inheritdoc/>
    void ISendOwner.SendEnded()
    {
        _isSending = false;
        if (_isDecided)
        {
            _isDecided = false;
            Complete(Error);
        }
    }
}
