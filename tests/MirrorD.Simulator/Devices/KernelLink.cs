using MirrorD.Formats.Nbd;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator.Devices;

/// <summary>
/// The kernel's end of one connection between a device and a process: requests out, simple replies in.
/// </summary>
public sealed class KernelLink
{
    private const int LongestBytes = 64 * 1024;

    private readonly SimulatedLoop _loop;
    private readonly KernelDevice _device;
    private readonly Queue<byte[]> _toSend = new();
    private readonly IoBuffer _out = new(LongestBytes + 4096);
    private readonly IoBuffer _in = new(LongestBytes);
    private readonly IoOperation _send;
    private readonly IoOperation _receive;
    private IConnection? _connection;
    private NbdSimpleReplyHeader? _header;
    private bool _isOver;

    /// <summary>Not connected yet.</summary>
    public KernelLink(SimulatedLoop loop, KernelDevice device)
    {
        _loop = loop;
        _device = device;
        _send = new IoOperation(_ => SendNext());
        _receive = new IoOperation(Received);
    }

    /// <summary>It is connected.</summary>
    public void Begin(IConnection connection)
    {
        _connection = connection;
        Receive(NbdSimpleReplyHeader.SizeBytes);
    }

    /// <summary>Sends a request after those before it.</summary>
    public void Send(byte[] request)
    {
        _toSend.Enqueue(request);
        if (!_send.IsPending)
        {
            SendNext();
        }
    }

    /// <summary>The kernel gives it up: no answer counts any more.</summary>
    public void Close()
    {
        _isOver = true;
        _connection?.Close();
    }

    private void SendNext()
    {
        if (!_isOver && _toSend.TryDequeue(out byte[]? bytes))
        {
            bytes.CopyTo(_out.Span);
            _loop.Send(_connection!, _out.Slice(0, bytes.Length), _send);
        }
    }

    private void Receive(int bytes) => _loop.Receive(_connection!, _in.Slice(0, bytes), bytes, _receive);

    private void Received(IoOperation receive)
    {
        if (_isOver)
        {
            return;
        }

        int expected = _header is { } begun ? _device.AnswerBytes(begun) : NbdSimpleReplyHeader.SizeBytes;
        if (receive.Result != expected)
        {
            Close();
            _device.LinkEnded(this);
            return;
        }

        if (_header is { } header)
        {
            _header = null;
            _device.Answered(header, _in.Span[..expected]);
        }
        else if (!NbdSimpleReplyHeader.TryDecode(_in.Span, out header))
        {
            throw new RuleBroken("contract", "the kernel was sent something that is no simple reply");
        }
        else if (_device.AnswerBytes(header) > 0)
        {
            _header = header;
            Receive(_device.AnswerBytes(header));
            return;
        }
        else
        {
            _device.Answered(header, default);
        }

        // The answer may have ended the link.
        if (!_isOver)
        {
            Receive(NbdSimpleReplyHeader.SizeBytes);
        }
    }
}
