using MirrorD.Core.Volumes;
using MirrorD.Engine.Link;
using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>
/// One authenticated connection to the peer: frames out, frames in (docs/internals/peer-protocol.md). Headers are
/// checked for magic, version, tag (key, order) and session before anything else is looked at. Where the connection is
/// not encrypted, each payload has a tag of its own.
/// </summary>
internal sealed partial class PeerConnection
{
    /// <summary>
    /// Data up to this is copied next to its header: cheaper than a system call of its own.
    /// </summary>
    private const int CopiedBytes = 8192;

    private const long CloseGraceNs = 1_000_000_000;

    private readonly IIoLoop _loop;
    private readonly LinkStream _stream;
    private readonly IPeerConnectionUser _user;
    private readonly LinkKeys _keys;
    private readonly bool _isConnector;
    private readonly PayloadSealer? _sealer;
    private readonly PayloadSealer? _opener;
    private readonly bool _tellsTimes;
    private readonly SendQueue _out;
    private ulong _framesSent;
    private ulong _framesReceived;
    private string? _closing;
    private long _closeAtNs;
    private bool _isClosed;
    private bool _isReported;

    public PeerConnection(
        IIoLoop loop, AuthenticatedLink link, IPeerConnectionUser user, bool isConnector, SendChunks chunks)
    {
        _loop = loop;
        _stream = link.Stream;
        _user = user;
        _keys = link.Keys;
        _isConnector = isConnector;
        _tellsTimes = link.Version >= PeerHello.VersionWithTimes;
        if (!_stream.IsEncrypted)
        {
            _sealer = new PayloadSealer(isConnector ? _keys.PayloadsFromConnector : _keys.PayloadsFromListener);
            _opener = new PayloadSealer(isConnector ? _keys.PayloadsFromListener : _keys.PayloadsFromConnector);
        }

        _out = new SendQueue(_stream, chunks, Sent);
        _receive = new IoOperation(Received);
        _receiveData = new IoOperation(DataReceived);
        _receiveRead = new IoOperation(ReadDataReceived);
        _resume = Resume;
        // Told inside somebody else's return of a slot: goes on in a turn of its own.
        _slotReturned = () => _loop.Post(_resume);
        LastReceivedNs = ArrivedNs = loop.NowNs;
        LastSentNs = loop.NowNs;
    }

    /// <summary>The session that this connection joins.</summary>
    public SessionId Session => _keys.Session;

    /// <summary>What both sides have derived for this connection.</summary>
    public LinkKeys Keys => _keys;

    /// <summary>When anything last arrived.</summary>
    public long LastReceivedNs { get; private set; }

    /// <summary>When what is being told to the user now was there, and could be told.</summary>
    public long ArrivedNs { get; private set; }

    /// <summary>When anything was last sent.</summary>
    public long LastSentNs { get; private set; }

    /// <summary>It is closing or closed.</summary>
    public bool IsClosing => _closing is not null;

    /// <param name="request">A mutation.</param>
    /// <param name="sequence">Its sequence.</param>
    /// <param name="copies">Its client may be answered before it has left: the data is copied.</param>
    public void SendWrite(IoRequest request, long sequence, bool copies)
    {
        PeerFrameFlags flags = request.ForceUnitAccess ? PeerFrameFlags.ForceUnitAccess : PeerFrameFlags.None;
        if (request.Operation == VolumeOperation.Write)
        {
            if (SendData(
                PeerFrameType.Write, flags, sequence, request.Volume, request.Offset, request.Data,
                copies ? null : request))
            {
                request.BeginSend();
                Pump();
            }

            return;
        }

        // A discard is passed on as a zero: both copies then hold the same.
        bool unmap = request.MayUnmap || request.Operation == VolumeOperation.Discard;
        SendHeader(new PeerFrame
        {
            Type = PeerFrameType.Zero,
            Flags = flags | (unmap ? PeerFrameFlags.MayUnmap : PeerFrameFlags.None),
            Sequence = sequence,
            Volume = (ushort)request.Volume,
            Offset = request.Offset,
            RangeBytes = checked((uint)request.LengthBytes),
        });
    }

    public void SendCopy(CopyIo copy, long sequence)
    {
        if (copy.IsZero)
        {
            SendHeader(new PeerFrame
            {
                Type = PeerFrameType.CopyZero,
                Sequence = sequence,
                Volume = (ushort)copy.Volume,
                Offset = copy.Offset,
                RangeBytes = (uint)copy.LengthBytes,
            });
            return;
        }

        if (SendData(
            PeerFrameType.Copy, PeerFrameFlags.None, sequence, copy.Volume, copy.Offset, copy.Data, copy))
        {
            copy.BeginSend();
            Pump();
        }
    }

    public void SendSequence(PeerFrameType type, long sequence) =>
        SendHeader(new PeerFrame { Type = type, Sequence = sequence });

    /// <param name="sequence">Of the mutation.</param>
    /// <param name="appliedNs">What it took here, from received whole; told to a peer that knows this.</param>
    public void SendAcknowledgement(long sequence, long appliedNs) => SendHeader(new PeerFrame
    {
        Type = PeerFrameType.Acknowledge,
        Sequence = sequence,
        Offset = _tellsTimes ? Math.Clamp(appliedNs, 0, PeerFrame.MaxAppliedNs) : 0,
    });

    public void SendMessage(PeerMessage message)
    {
        if (_isClosed)
        {
            return;
        }

        byte[] payload = PeerMessageCodec.Encode(message);
        Span<byte> room = _out.Append(PeerFrame.HeaderBytes + payload.Length);
        payload.CopyTo(room[PeerFrame.HeaderBytes..]);
        Encode(
            new PeerFrame
            {
                Type = PeerFrameType.Message,
                PayloadBytes = (uint)payload.Length,
                PayloadTag = TagOf(payload),
            },
            room);
        Pump();
    }

    /// <summary>
    /// Listens to the peer no more, lets what was sent before leave (for at most a second), then closes.
    /// </summary>
    public void CloseAfterSending(string reason)
    {
        if (_closing is null)
        {
            _closing = reason;
            _closeAtNs = _loop.NowNs + CloseGraceNs;
            FinishClose();
        }
    }

    /// <summary>Closes at once.</summary>
    public void Close(string reason)
    {
        _closing ??= reason;
        _closeAtNs = 0;
        FinishClose();
    }

    /// <summary>Time passes.</summary>
    /// <param name="linkTimeoutNs">A peer that says nothing for so long is lost.</param>
    /// <param name="laterNs">The next call comes so much later than usual.</param>
    public void Tick(long linkTimeoutNs, long laterNs)
    {
        long now = _loop.NowNs;
        if (_isPaused)
        {
            // What the peer sends waits in the socket until a slot is free: that says nothing about the peer.
            LastReceivedNs = now;
        }

        if (_closing is null && now - LastReceivedNs > linkTimeoutNs)
        {
            Close($"nothing heard for {(now - LastReceivedNs) / 1_000_000} ms");
        }
        else if (_closing is null && now - LastSentNs > Math.Min(1_000_000_000, linkTimeoutNs / 4) - laterNs)
        {
            SendSequence(PeerFrameType.Ping, 0);
        }

        FinishClose();
    }

    /// <summary>
    /// True when the data is sent in place: the owner's memory is in use until <see
    /// cref="ISendOwner.SendEnded"/>. Without an owner all is copied.
    /// </summary>
    private bool SendData(
        PeerFrameType type, PeerFrameFlags flags, long sequence, int volume, long offset, BufferSlice data,
        ISendOwner? owner)
    {
        if (_isClosed)
        {
            // The replica hears of the end in a later turn. Nobody would give the memory back.
            return false;
        }

        var frame = new PeerFrame
        {
            Type = type,
            Flags = flags,
            Sequence = sequence,
            Volume = (ushort)volume,
            Offset = offset,
            RangeBytes = (uint)data.LengthBytes,
            PayloadBytes = (uint)data.LengthBytes,
            PayloadTag = TagOf(data.Span),
        };
        if (owner is null)
        {
            Encode(frame, _out.Append(PeerFrame.HeaderBytes));
            _out.AppendCopied(data.Span);
            Pump();
            return false;
        }

        if (data.LengthBytes > CopiedBytes)
        {
            // The slot has room for the header right before the data: one contiguous send.
            BufferSlice whole = data.Buffer!.Slice(
                data.OffsetBytes - PeerFrame.HeaderBytes, data.LengthBytes + PeerFrame.HeaderBytes);
            Encode(frame, whole.Span);
            _out.Append(whole, owner);
            return true;
        }

        Span<byte> room = _out.Append(PeerFrame.HeaderBytes + data.LengthBytes);
        data.Span.CopyTo(room[PeerFrame.HeaderBytes..]);
        Encode(frame, room);
        Pump();
        return false;
    }

    private void SendHeader(in PeerFrame frame)
    {
        if (_isClosed)
        {
            return;
        }

        Encode(frame, _out.Append(PeerFrame.HeaderBytes));
        Pump();
    }

    /// <summary>Tag of the payload of the frame that is encoded next.</summary>
    private PayloadTag TagOf(ReadOnlySpan<byte> payload) => _sealer?.TagOf(payload, _framesSent) ?? default;

    private void Encode(in PeerFrame frame, Span<byte> to) => (frame with { Session = Session }).Encode(
        to, _isConnector ? _keys.FromConnector : _keys.FromListener, _framesSent++);

    private void Pump()
    {
        LastSentNs = _loop.NowNs;
        _out.Pump();
    }

    private void Sent(int error)
    {
        if (error != 0)
        {
            Close($"sending failed with errno {error}");
        }
        else if (!_isClosed)
        {
            _out.Pump();
        }

        FinishClose();
    }

    private void FinishClose()
    {
        if (_closing is null || _isReported)
        {
            return;
        }

        if (!_isClosed && (_out.IsEmpty || _loop.NowNs >= _closeAtNs))
        {
            _isClosed = true;
            _stream.Close();
        }

        if (_isClosed && !_out.IsSending && !_receive.IsPending && !_receiveData.IsPending && !_receiveRead.IsPending)
        {
            _isReported = true;
            _out.Abandon();
            AbandonReceive();

            // Never from inside a call of the user.
            _loop.Post(() => _user.Closed(this, _closing));
        }
    }
}
