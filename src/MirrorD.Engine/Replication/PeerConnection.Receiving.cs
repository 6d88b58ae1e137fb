using MirrorD.Core.Volumes;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>
/// Frames in: headers and small payloads come through a staging buffer, many per receive; the rest of a large
/// payload is received straight into its slot. No free slot stops the receiving: that is the backpressure.
/// </summary>
internal sealed partial class PeerConnection
{
    private const int StagingBytes = 64 * 1024;
    private const string NotAuthentic = "payload tag does not fit: damaged or forged";

    private readonly IoOperation _receive;
    private readonly IoOperation _receiveData;
    private readonly IoBuffer _staging = new(StagingBytes);
    private readonly Action _resume;
    private readonly Action _slotReturned;
    private int _stagingStart;
    private int _stagingEnd;
    private PeerFrame _frame;
    private bool _hasFrame;
    private IncomingIo? _incoming;
    private int _dataMissing;
    private bool _isPaused;

    /// <summary>Begins to receive.</summary>
    public void Start() => Parse();

    private void Received(IoOperation operation)
    {
        if (_closing is null)
        {
            if (operation.Result <= 0)
            {
                Close(ReceiveProblem(operation.Result));
                return;
            }

            LastReceivedNs = ArrivedNs = _loop.NowNs;
            _stagingEnd += operation.Result;
            Parse();
        }

        FinishClose();
    }

    private void Resume()
    {
        ArrivedNs = _loop.NowNs;
        _isPaused = false;
        Parse();
    }

    private void Parse()
    {
        while (_closing is null && ParseOne())
        {
        }

        if (_closing is null && !_isPaused && !_receive.IsPending && !_receiveData.IsPending && !_receiveRead.IsPending)
        {
            MakeRoom();
            _stream.Receive(_staging.Slice(_stagingEnd, StagingBytes - _stagingEnd), 1, _receive);
        }

        FinishClose();
    }

    private void MakeRoom()
    {
        if (_stagingStart > 0)
        {
            _staging.Span[_stagingStart.._stagingEnd].CopyTo(_staging.Span);
            _stagingEnd -= _stagingStart;
            _stagingStart = 0;
        }
    }

    /// <summary>
    /// Takes one frame out of the staging buffer; false when more bytes, or a slot, are needed first.
    /// </summary>
    private bool ParseOne()
    {
        if (!_hasFrame && !TakeHeader())
        {
            return false;
        }

        switch (_frame.Type)
        {
            case PeerFrameType.Write or PeerFrameType.Copy:
                return TakeData();
            case PeerFrameType.Message:
                return TakeMessage();
            case PeerFrameType.Zero or PeerFrameType.CopyZero:
                IncomingIo incoming = _user.RentIncoming();
                Fill(incoming, VolumeOperation.Zero, null);
                return Deliver(incoming);
            case PeerFrameType.Read or PeerFrameType.HashQuestion:
                return TakeRead();
            case PeerFrameType.HashAnswer:
                return TakeHashAnswer();
            case PeerFrameType.ReadData:
                return TakeReadData();
            case PeerFrameType.ReadFailed:
                _user.ReadAnswered(_frame.Sequence, default);
                return Done(null);
            case PeerFrameType.Flush:
                return Done(_user.FlushArrived(_frame.Sequence));
            case PeerFrameType.Acknowledge:
                return TakeAcknowledgement();
            case PeerFrameType.Received:
                _user.Received(_frame.Sequence);
                return Done(null);
            case PeerFrameType.Durable:
                _user.Durable(_frame.Sequence);
                return Done(null);
            case PeerFrameType.Ping:
            default:
                return Done(null);
        }
    }

    private bool TakeAcknowledgement()
    {
        if (!_tellsTimes && _frame.Offset != 0)
        {
            return Done("a field that this version does not use is not zero");
        }

        _user.Acknowledged(_frame.Sequence, _tellsTimes ? _frame.Offset : -1);
        return Done(null);
    }

    private bool TakeHeader()
    {
        if (_stagingEnd - _stagingStart < PeerFrame.HeaderBytes)
        {
            return false;
        }

        ReadOnlySpan<byte> header = _staging.Span.Slice(_stagingStart, PeerFrame.HeaderBytes);
        if (!PeerFrame.TryDecode(header, _isConnector ? _keys.FromListener : _keys.FromConnector,
            _framesReceived, Session, out _frame, out string error))
        {
            Close($"protocol error: {error}");
            return false;
        }

        _stagingStart += PeerFrame.HeaderBytes;
        _hasFrame = true;
        return true;
    }

    private bool Done(string? error)
    {
        _hasFrame = false;
        _framesReceived++;
        if (error is not null)
        {
            Close($"protocol error: {error}");
        }

        return true;
    }

    private bool TakeMessage()
    {
        int length = (int)_frame.PayloadBytes;
        if (_stagingEnd - _stagingStart < length)
        {
            return false;
        }

        ReadOnlySpan<byte> payload = _staging.Span.Slice(_stagingStart, length);
        if (!IsAuthentic(payload))
        {
            return Done(NotAuthentic);
        }

        PeerMessage? message = PeerMessageCodec.Decode(payload);
        _stagingStart += length;
        if (message is null)
        {
            return Done("malformed control message");
        }

        Done(null);
        _user.Said(message);
        return true;
    }

    private bool TakeData()
    {
        if (!_user.Buffers.TryRent(out IoBuffer? slot))
        {
            _isPaused = true;
            _user.Buffers.WhenReturned(_slotReturned);
            return false;
        }

        _incoming = _user.RentIncoming();
        Fill(_incoming, VolumeOperation.Write, slot);
        int length = (int)_frame.PayloadBytes;
        int here = Math.Min(length, _stagingEnd - _stagingStart);
        _staging.Span.Slice(_stagingStart, here).CopyTo(slot.Span[BufferPool.HeadroomBytes..]);
        _stagingStart += here;
        if (here == length)
        {
            return DeliverData();
        }

        _dataMissing = length - here;
        _stream.Receive(
            slot.Slice(BufferPool.HeadroomBytes + here, _dataMissing), _dataMissing, _receiveData);
        return false;
    }

    private void DataReceived(IoOperation operation)
    {
        if (_closing is null)
        {
            if (operation.Result < _dataMissing)
            {
                Close(ReceiveProblem(operation.Result));
                return;
            }

            LastReceivedNs = ArrivedNs = _loop.NowNs;
            if (DeliverData())
            {
                Parse();
            }
        }

        FinishClose();
    }

    private bool DeliverData()
    {
        IncomingIo incoming = _incoming!;
        _incoming = null;
        int length = (int)incoming.LengthBytes;
        ReadOnlySpan<byte> data = incoming.Slot!.Span.Slice(BufferPool.HeadroomBytes, length);
        if (IsAuthentic(data))
        {
            return Deliver(incoming);
        }

        _user.ReturnIncoming(incoming);
        return Done(NotAuthentic);
    }

    private bool Deliver(IncomingIo incoming)
    {
        string? error = _user.Arrived(incoming);
        if (error is not null)
        {
            _user.ReturnIncoming(incoming);
        }

        return Done(error);
    }

    private void Fill(IncomingIo incoming, VolumeOperation operation, IoBuffer? slot)
    {
        incoming.Operation = operation;
        incoming.IsCopy = _frame.Type is PeerFrameType.Copy or PeerFrameType.CopyZero;
        incoming.Sequence = _frame.Sequence;
        incoming.Volume = _frame.Volume;
        incoming.Offset = _frame.Offset;
        incoming.LengthBytes = _frame.RangeBytes;
        incoming.ForceUnitAccess = (_frame.Flags & PeerFrameFlags.ForceUnitAccess) != 0;
        incoming.MayUnmap = _frame.Type == PeerFrameType.CopyZero || (_frame.Flags & PeerFrameFlags.MayUnmap) != 0;
        incoming.Slot = slot;
        incoming.IsFlushing = false;
    }

    /// <summary>The payload of the present frame is what the peer sent in it.</summary>
    private bool IsAuthentic(ReadOnlySpan<byte> payload) =>
        _opener?.Fits(_frame.PayloadTag, payload, _framesReceived) ?? _frame.PayloadTag == default;

    private string ReceiveProblem(int result) => result switch
    {
        >= 0 => "closed by the peer",
        -Errno.EBADMSG => _stream.Problem,
        _ => $"receiving failed with errno {-result}",
    };

    private void AbandonReceive()
    {
        if (_incoming is { } incoming)
        {
            _incoming = null;
            _user.ReturnIncoming(incoming);
        }

        _stream.Dispose();
        _sealer?.Dispose();
        _opener?.Dispose();
        _staging.Dispose();
        _readData?.Dispose();
    }
}
