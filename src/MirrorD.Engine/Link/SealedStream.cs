using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Link;

/// <summary>
/// Bytes that are encrypted on their way. What is sent is encrypted into memory of this stream in one go; what arrives is
/// decrypted straight to where it is wanted. Allocates nothing per operation.
/// </summary>
internal sealed class SealedStream : LinkStream
{
    private const int ReceivedBytes = 256 * 1024;

    // A slot, with what comes before its data: the most that is sent at once.
    private const int UsualSendBytes = BufferPool.HeadroomBytes + PeerFrame.MaxDataBytes;

    private readonly IIoLoop _loop;
    private readonly IConnection _connection;
    private readonly IRecordLayer _records;
    private readonly IoOperation _receive;
    private readonly IoOperation _send;
    private readonly Action _deliver;
    private readonly IoBuffer _in = new(ReceivedBytes);
    private IoBuffer _out;
    private int _inStart;
    private int _inEnd;
    private IoOperation? _receiving;
    private BufferSlice _wanted;
    private int _minimumBytes;
    private int _openedBytes;
    private int _result;
    private IoOperation? _sending;
    private int _sentBytes;
    private bool _isClosed;

    /// <param name="loop">The loop.</param>
    /// <param name="connection">The connection; this stream closes it.</param>
    /// <param name="records">What encrypts; this stream disposes it.</param>
    /// <param name="early">What was received already, encrypted.</param>
    public SealedStream(IIoLoop loop, IConnection connection, IRecordLayer records, ReadOnlyMemory<byte> early)
    {
        _loop = loop;
        _connection = connection;
        _records = records;
        _receive = new IoOperation(Received);
        _send = new IoOperation(Sent);
        _deliver = Deliver;
        _out = new IoBuffer(records.MostSealedBytes(UsualSendBytes));
        early.Span.CopyTo(_in.Span);
        _inEnd = early.Length;
    }

    public override bool IsEncrypted => true;

    public override string Problem => _records.Problem ?? base.Problem;

    public override void Receive(BufferSlice into, int minimumBytes, IoOperation operation)
    {
        operation.Begin(OperationKind.Receive);
        _receiving = operation;
        _wanted = into;
        _minimumBytes = minimumBytes;
        _openedBytes = 0;
        if (GoOn())
        {
            _loop.Post(_deliver);
        }
    }

    public override void Send(BufferSlice from, IoOperation operation)
    {
        operation.Begin(OperationKind.Send);
        _sending = operation;
        _sentBytes = from.LengthBytes;
        int most = _records.MostSealedBytes(from.LengthBytes);
        if (most > _out.LengthBytes)
        {
            _out.Dispose();
            _out = new IoBuffer(most);
        }

        int length = _records.Seal(from.Span, _out.Slice(0, _out.LengthBytes));
        if (length < 0)
        {
            // The cancelled send below tells the user.
            Close();
        }

        _loop.Send(_connection, _out.Slice(0, Math.Max(length, 0)), _send);
    }

    public override void Close()
    {
        _isClosed = true;
        _connection.Close();
    }

    public override LinkStream Unsealed()
    {
        var plain = new PlainStream(_loop, _connection, _in.Span[_inStart.._inEnd].ToArray());
        Dispose();
        return plain;
    }

    public override void Dispose()
    {
        _records.Dispose();
        _in.Dispose();
        _out.Dispose();
    }

    /// <summary>Decrypts what is there; true when the user's operation has ended with <see cref="_result"/>.</summary>
    private bool GoOn()
    {
        if (_isClosed)
        {
            _result = -Errno.ECANCELED;
            return true;
        }

        int opened = _records.Open(
            _in.Slice(_inStart, _inEnd - _inStart), _wanted.Span[_openedBytes..], out int consumed);
        _inStart += consumed;
        if (opened < 0)
        {
            _result = -Errno.EBADMSG;
            return true;
        }

        _openedBytes += opened;
        if (_openedBytes >= _minimumBytes || _records.IsEnded)
        {
            _result = _openedBytes;
            return true;
        }

        // Less than was wanted came out, so nothing is left to be opened but a part of a record, which the record layer keeps:
        // of what is missing so much may be there already.
        _inStart = _inEnd = 0;
        int missing = Math.Clamp(_minimumBytes - _openedBytes - _records.MostKeptBytes, 1, ReceivedBytes);
        _loop.Receive(_connection, _in.Slice(0, ReceivedBytes), missing, _receive);
        return false;
    }

    private void Received(IoOperation operation)
    {
        if (operation.Result <= 0)
        {
            // What arrived of a record that is not whole counts for nothing.
            _result = operation.Result < 0 ? operation.Result : _openedBytes;
            Deliver();
            return;
        }

        _inEnd = operation.Result;
        if (GoOn())
        {
            Deliver();
        }
    }

    private void Deliver()
    {
        IoOperation ended = _receiving!;
        _receiving = null;
        ended.Complete(_result);
    }

    private void Sent(IoOperation operation)
    {
        IoOperation ended = _sending!;
        _sending = null;
        ended.Complete(operation.Result < 0 ? operation.Result : _sentBytes);
    }
}
