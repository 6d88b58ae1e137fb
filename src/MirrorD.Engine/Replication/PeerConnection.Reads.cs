using MirrorD.Core.Volumes;
using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>
/// Reads from the peer's copy. Answers are received into memory of the connection, not into slots: all of these may be in
/// use by the very reads that are waited for.
/// </summary>
internal sealed partial class PeerConnection
{
    private readonly IoOperation _receiveRead;
    private IoBuffer? _readData;

    /// <summary>Asks for the request's range.</summary>
    public void SendRead(VolumeRequest request, long number) => SendHeader(new PeerFrame
    {
        Type = PeerFrameType.Read,
        Sequence = number,
        Volume = (ushort)request.Volume,
        Offset = request.Offset,
        RangeBytes = (uint)request.LengthBytes,
    });

    /// <summary>Answers a read with what was found.</summary>
    public void SendReadData(ServedRead read)
    {
        if (SendData(PeerFrameType.ReadData, PeerFrameFlags.None, read.Number, read.Volume, read.Offset, read.Data, read))
        {
            read.BeginSend();
            Pump();
        }
    }

    private bool TakeRead()
    {
        if (!_user.Buffers.TryRent(out IoBuffer? slot))
        {
            _isPaused = true;
            _user.Buffers.WhenReturned(_slotReturned);
            return false;
        }

        return Done(_user.ReadArrived(_frame, slot));
    }

    private bool TakeReadData()
    {
        _readData ??= new IoBuffer(PeerFrame.MaxDataBytes);
        int length = (int)_frame.PayloadBytes;
        int here = Math.Min(length, _stagingEnd - _stagingStart);
        _staging.Span.Slice(_stagingStart, here).CopyTo(_readData.Span);
        _stagingStart += here;
        if (here == length)
        {
            return DeliverRead();
        }

        _dataMissing = length - here;
        _stream.Receive(_readData.Slice(here, _dataMissing), _dataMissing, _receiveRead);
        return false;
    }

    private void ReadDataReceived(IoOperation operation)
    {
        if (_closing is null)
        {
            if (operation.Result < _dataMissing)
            {
                Close(ReceiveProblem(operation.Result));
                return;
            }

            LastReceivedNs = ArrivedNs = _loop.NowNs;
            if (DeliverRead())
            {
                Parse();
            }
        }

        FinishClose();
    }

    private bool DeliverRead()
    {
        ReadOnlySpan<byte> data = _readData!.Span[..(int)_frame.PayloadBytes];
        if (!IsAuthentic(data))
        {
            return Done(NotAuthentic);
        }

        _user.ReadAnswered(_frame.Sequence, data);
        return Done(null);
    }
}
