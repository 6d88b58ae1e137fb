using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <content>The session's bytes on their way: as they are, or encrypted.</content>
internal sealed partial class NbdSession
{
    // Null where nothing is encrypted: the loop then gets the session's own buffers, without another copy.
    private readonly SealedStream? _sealed;

    private void Receive(BufferSlice into, int minimumBytes)
    {
        if (_sealed is null)
        {
            _loop.Receive(_connection, into, minimumBytes, _receive);
        }
        else
        {
            _sealed.Receive(into, minimumBytes, _receive);
        }
    }

    private void Send(BufferSlice from)
    {
        if (_sealed is null)
        {
            _loop.Send(_connection, from, _send);
        }
        else
        {
            _sealed.Send(from, _send);
        }
    }

    /// <summary>Why a receive failed.</summary>
    private string ReceiveProblem(int result) => result == -Errno.EBADMSG && _sealed is not null
        ? _sealed.Problem
        : $"receive failed, errno {-result}";
}
