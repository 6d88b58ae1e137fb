using MirrorD.Core.Replication;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>A read for the peer, with its slot and its operation on the backing disk; reused.</summary>
internal sealed class ServedRead : IncomingRead, ISendOwner
{
    private readonly Action<ServedRead> _ended;
    private bool _isSending;

    public ServedRead(Action<IoOperation> localDone, Action<ServedRead> ended)
    {
        Local = new IoOperation(localDone, this);
        _ended = ended;
    }

    /// <summary>The operation on the backing disk.</summary>
    public IoOperation Local { get; }

    /// <summary>Where the data goes.</summary>
    public IoBuffer? Slot { get; set; }

    /// <summary>Whose question it is: an answer goes over the same connection, or nowhere.</summary>
    public PeerConnection? Connection { get; set; }

    /// <summary>Only the hash of what is read is sent.</summary>
    public bool IsHashed { get; set; }

    /// <summary>The data in the slot.</summary>
    public BufferSlice Data => Slot!.Slice(BufferPool.HeadroomBytes, (int)LengthBytes);

    /// <summary>It is being sent from its slot.</summary>
    public void BeginSend() => _isSending = true;

    /// <summary>The data is read and handed over, or is not to be sent.</summary>
    public void HandedOver()
    {
        if (!_isSending)
        {
            _ended(this);
        }
    }

    /// <inheritdoc/>
    public void SendEnded()
    {
        _isSending = false;
        _ended(this);
    }
}
