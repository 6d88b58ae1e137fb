using MirrorD.Engine.Latency;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Nbd;

/// <content>What replies took: those of one send are known when it has ended.</content>
internal sealed partial class NbdSession
{
    private int _repliesLeaving;

    /// <summary>The last of a reply is in the send that begins next, or that ends now.</summary>
    private void NoteReply(PendingRequest request)
    {
        LatencyOperation? operation = request.Header.Command switch
        {
            NbdCommand.Read => LatencyOperation.Read,
            NbdCommand.Write or NbdCommand.Trim or NbdCommand.WriteZeroes => LatencyOperation.Write,
            NbdCommand.Flush => LatencyOperation.Flush,
            _ => null,
        };
        if (operation is { } known && request.DecidedNs != 0 && _repliesLeaving < _memory.Replies.Length)
        {
            _memory.Replies[_repliesLeaving++] = new ReplyTimes(known, request.ReceivedNs, request.DecidedNs);
        }
    }

    private void NoteSent()
    {
        if (_repliesLeaving == 0 || _export?.Volume.Load is not { } load)
        {
            _repliesLeaving = 0;
            return;
        }

        long nowNs = _loop.NowNs;
        foreach (ref readonly ReplyTimes reply in _memory.Replies.AsSpan(0, _repliesLeaving))
        {
            load.Record(reply.Operation, LatencyStage.Reply, nowNs - reply.DecidedNs);
            load.Record(reply.Operation, LatencyStage.Total, nowNs - reply.ReceivedNs);
        }

        _repliesLeaving = 0;
    }
}
