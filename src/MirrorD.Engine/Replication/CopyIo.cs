using MirrorD.Core.Resync;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>
/// A resync copy with its slot. The slot goes back when neither the replica nor a send uses it; the object itself
/// stays with the replica until the copy is flushed.
/// </summary>
internal sealed class CopyIo(IoBuffer slot, Action<IoBuffer> slotUnused) : ResyncCopy, ISendOwner
{
    private IoBuffer? _slot = slot;
    private bool _isSending;
    private bool _isReturned;

    /// <summary>The data in the slot.</summary>
    public BufferSlice Data => _slot!.Slice(BufferPool.HeadroomBytes, (int)LengthBytes);

    /// <summary>It is being sent from its slot.</summary>
    public void BeginSend() => _isSending = true;

    /// <inheritdoc/>
    public void SendEnded()
    {
        _isSending = false;
        GiveBack();
    }

    /// <summary>The replica no longer needs the data.</summary>
    public void Return()
    {
        _isReturned = true;
        GiveBack();
    }

    private void GiveBack()
    {
        if (_isReturned && !_isSending && _slot is { } unused)
        {
            _slot = null;
            slotUnused(unused);
        }
    }
}
