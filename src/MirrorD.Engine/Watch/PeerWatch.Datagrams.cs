using MirrorD.Core.Failover;
using MirrorD.Formats;
using MirrorD.Formats.Watch;
using MirrorD.Io;

namespace MirrorD.Engine.Watch;

/// <content>What is sent to the peer and heard of it.</content>
public sealed partial class PeerWatch
{
    private ulong _sequence;
    private long _heartbeatAtNs;
    private long _sentAtNs = long.MinValue / 2;
    private bool _extraWanted;
    private int _firstTold;

    /// <inheritdoc/>
    public void Send(string resource, ControlMessage message)
    {
        ResourceHash hash = ResourceHash.Of(resource);
        _loop.Post(() =>
        {
            ulong sequence = ++_sequence;
            foreach (PathSocket socket in _sockets)
            {
                Span<byte> room = socket.Room();
                if (!room.IsEmpty)
                {
                    int bodyBytes = ControlMessageCodec.Encode(hash, message, room[WatchHeader.Bytes..]);
                    WatchHeader header = Header(WatchDatagramType.Control, socket, sequence, _loop.NowNs);
                    socket.Enqueue(WatchDatagram.Seal(room, header, bodyBytes, _sendKey));
                }
            }
        });
    }

    private void SendHeartbeatsIfDue(long now)
    {
        bool isDue = now >= _heartbeatAtNs;
        if (!_hasStarted || (!isDue && !(_extraWanted && now - _sentAtNs >= _tickNs)))
        {
            return;
        }

        if (isDue)
        {
            // Kept in step unless the loop is late by more than an interval.
            _heartbeatAtNs = Math.Max(_heartbeatAtNs + _times.IntervalNs, now + (_times.IntervalNs / 2));
        }

        _extraWanted = false;
        _sentAtNs = now;
        int told = Math.Min(_resources.Count, HeartbeatEntry.MaxEntries);
        foreach (PathSocket socket in _sockets)
        {
            Span<byte> room = socket.Room();
            if (room.IsEmpty)
            {
                continue;
            }

            for (int i = 0; i < told; i++)
            {
                WatchedResource resource = _resources[(_firstTold + i) % _resources.Count];
                resource.Entry.Encode(room[(WatchHeader.Bytes + (i * HeartbeatEntry.Bytes))..]);
            }

            WatchHeader header = Header(WatchDatagramType.Heartbeat, socket, ++_sequence, now);
            socket.Enqueue(WatchDatagram.Seal(room, header, told * HeartbeatEntry.Bytes, _sendKey));
            HeartbeatsSent++;
        }

        _firstTold = told < _resources.Count ? (_firstTold + told) % _resources.Count : 0;
    }

    private WatchHeader Header(WatchDatagramType type, PathSocket socket, ulong sequence, long now) => new()
    {
        Type = type,
        Path = socket.Number,
        Node = _options.Node,
        Boot = _options.Boot,
        Instance = _instance,
        Challenge = _runs.Challenge,
        Echo = _runs.Echo,
        NewcomerEcho = _runs.NewcomerEcho,
        Sequence = sequence,
        SentNs = now,
        HearsReceiver = _monitor.HearsFreshly(socket.Index, now),
    };

    private void Arrived(PathSocket socket, BufferSlice datagram)
    {
        long now = _loop.NowNs;
        NoticePause(now);
        WatchFault fault = WatchDatagram.Open(
            datagram.Span, _receiveKey, out WatchHeader header, out ReadOnlySpan<byte> body);
        if (fault == WatchFault.Mac && _acceptedKey is not null)
        {
            fault = WatchDatagram.Open(datagram.Span, _acceptedKey, out header, out body);
        }

        if (fault == WatchFault.None)
        {
            fault = Check(socket, header, body);
        }

        if (fault != WatchFault.None)
        {
            _garbage.Add(fault, socket.Path.Name);
            return;
        }

        Hearing hearing = Judge(socket, header);
        if (hearing == Hearing.Stale)
        {
            return;
        }

        if (header.Type == WatchDatagramType.Heartbeat)
        {
            HeardHeartbeat(socket, header, body, hearing == Hearing.Fresh, now);
        }
        else
        {
            HeardControl(socket, body);
        }

        SendHeartbeatsIfDue(now);
        Publish();
    }

    private WatchFault Check(PathSocket socket, in WatchHeader header, ReadOnlySpan<byte> body) =>
        header.Path != socket.Number || header.Node == _options.Node || IsStranger(header.Node) ? WatchFault.Misdirected
        : header.Type == WatchDatagramType.Heartbeat && !HeartbeatEntry.IsValidBody(body) ? WatchFault.Body
        : WatchFault.None;

    /// <summary>No resource has this machine as its peer: it was replaced, or is a new one that nobody has let in.</summary>
    private bool IsStranger(NodeId node)
    {
        foreach (WatchedResource resource in _resources)
        {
            if (resource.Resource.IsPeer(node))
            {
                return false;
            }
        }

        return _resources.Count > 0;
    }

    private Hearing Judge(PathSocket socket, in WatchHeader header)
    {
        ulong echo = _runs.Echo;
        ulong newcomerEcho = _runs.NewcomerEcho;
        Hearing hearing = _runs.Judge(socket.Index, header);
        if (_runs.NeedsChallenge)
        {
            _runs.Renew(_options.NewIdentifier());
            _monitor.PeerRestarted();
            foreach (WatchedResource resource in _resources)
            {
                resource.Forget();
            }
        }

        // The peer waits for its echo.
        _extraWanted |= echo != _runs.Echo || newcomerEcho != _runs.NewcomerEcho;
        return hearing;
    }

    private void HeardHeartbeat(
        PathSocket socket, in WatchHeader header, ReadOnlySpan<byte> body, bool isFresh, long now)
    {
        _extraWanted |= isFresh && !_monitor.HearsFreshly(socket.Index, now);
        _monitor.Heard(socket.Index, now, isFresh, _runs.PeerHears);
        Volatile.Write(ref _heardNs[socket.Index], now);
        if (!isFresh || !_runs.IsNewest)
        {
            return;
        }

        foreach (WatchedResource resource in _resources)
        {
            bool isTold = false;
            for (int at = 0; at < body.Length && !isTold; at += HeartbeatEntry.Bytes)
            {
                HeartbeatEntry entry = HeartbeatEntry.Decode(body[at..]);
                isTold = entry.Resource == resource.Hash;
                if (isTold)
                {
                    resource.Hear(entry);
                }
            }

            // A full heartbeat tells of some resources only.
            if (!isTold && body.Length < HeartbeatEntry.MaxEntries * HeartbeatEntry.Bytes)
            {
                resource.Forget();
            }
        }
    }

    private void HeardControl(PathSocket socket, ReadOnlySpan<byte> body)
    {
        if (ControlMessageCodec.Decode(body, out ResourceHash hash) is not { } message)
        {
            _garbage.Add(WatchFault.Body, socket.Path.Name);
            return;
        }

        foreach (WatchedResource resource in _resources)
        {
            if (resource.Hash == hash)
            {
                resource.Resource.ControlArrived(message);
            }
        }
    }

    private void Refused(PathSocket socket)
    {
        long now = _loop.NowNs;
        NoticePause(now);
        _monitor.Refused(socket.Index, now);
        Publish();
    }
}
