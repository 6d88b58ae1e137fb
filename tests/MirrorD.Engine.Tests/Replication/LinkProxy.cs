using System.Net;
using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>
/// Stands between the nodes with their key, so that a test can have one of them send anything: every frame is
/// sealed anew, with its own number, after the test has seen it.
/// </summary>
internal sealed class LinkProxy
{
    private readonly SimulatedLoop _loop;
    private readonly Endpoint _target;
    private readonly IListener _listener;
    private readonly IoOperation _accept;

    public LinkProxy(SimulatedWorld world, string target = "10.0.0.2")
    {
        world.AddAddress("proxy", IPAddress.Parse("10.0.0.99"));
        _loop = world.CreateLoop("proxy");
        _target = new TcpEndpoint(IPAddress.Parse(target), 7780);
        Endpoint = new TcpEndpoint(IPAddress.Parse("10.0.0.99"), 7780);
        _listener = _loop.Listen(Endpoint);
        _accept = new IoOperation(Accepted);
        _loop.Accept(_listener, _accept);
    }

    public Endpoint Endpoint { get; }

    /// <summary>
    /// Gets each frame with its payload; returns the bytes to send instead, or null to let it pass.
    /// </summary>
    public Func<Way, PeerFrame, byte[], byte[]?>? Change { get; set; }

    /// <summary>All that the connecting side has sent on the last connection, as it came.</summary>
    public List<byte> FromConnector { get; private set; } = [];

    private void Accepted(IoOperation operation)
    {
        if (operation.Connection is { } near)
        {
            FromConnector = [];
            _loop.Connect(_target, 3 * SimulatedPair.SecondNs, new IoOperation(connected =>
            {
                if (connected.Connection is { } far)
                {
                    Relay(near, far);
                }
                else
                {
                    near.Close();
                }
            }));
        }

        _loop.Accept(_listener, _accept);
    }

    private void Relay(IConnection near, IConnection far)
    {
        var there = new Way(this, _loop, near, far, fromConnector: true);
        var back = new Way(this, _loop, far, near, fromConnector: false);
        there.Other = back;
        back.Other = there;
        there.Receive();
        back.Receive();
    }

    /// <summary>One direction of one connection.</summary>
    internal sealed class Way
    {
        private readonly LinkProxy _proxy;
        private readonly IIoLoop _loop;
        private readonly IConnection _from;
        private readonly IConnection _to;
        private readonly IoBuffer _in = new(64 * 1024);
        private readonly IoBuffer _out = new(512 * 1024);
        private readonly IoOperation _receive;
        private readonly IoOperation _send;
        private readonly List<byte> _arrived = [];
        private readonly List<byte> _leaving = [];
        private byte[]? _hello;
        private bool _hasProof;
        private LinkKeys? _keys;
        private ulong _framesIn;
        private ulong _framesOut;

        public Way(LinkProxy proxy, IIoLoop loop, IConnection from, IConnection to, bool fromConnector)
        {
            _proxy = proxy;
            _loop = loop;
            _from = from;
            _to = to;
            FromConnector = fromConnector;
            _receive = new IoOperation(Arrived);
            _send = new IoOperation(_ => Pump());
        }

        public bool FromConnector { get; }

        public Way Other { get; set; } = null!;

        /// <summary>Number of the next frame that is sealed.</summary>
        public ulong NextNumber => _framesOut;

        public LinkKeys Keys => _keys ??= FromConnector
            ? new LinkKeys(SimulatedPair.SharedKey, _hello!, Other._hello!)
            : new LinkKeys(SimulatedPair.SharedKey, Other._hello!, _hello!);

        private SipKey HeaderKey => FromConnector ? Keys.FromConnector : Keys.FromListener;

        public void Receive() => _loop.Receive(_from, _in.Slice(0, _in.LengthBytes), 1, _receive);

        /// <summary>The frame as its sender would send it next; a payload gets its tag.</summary>
        public byte[] Seal(PeerFrame frame, byte[] payload)
        {
            if (payload.Length > 0)
            {
                using var sealer = new PayloadSealer(FromConnector ? Keys.PayloadsFromConnector : Keys.PayloadsFromListener);
                frame = frame with { PayloadTag = sealer.TagOf(payload, _framesOut) };
            }

            byte[] bytes = new byte[PeerFrame.HeaderBytes + payload.Length];
            frame.Encode(bytes, HeaderKey, _framesOut++);
            payload.CopyTo(bytes.AsSpan(PeerFrame.HeaderBytes));
            return bytes;
        }

        public byte[] Seal(PeerMessage message)
        {
            byte[] payload = PeerMessageCodec.Encode(message);
            return Seal(
                new PeerFrame
                {
                    Type = PeerFrameType.Message,
                    Session = Keys.Session,
                    PayloadBytes = (uint)payload.Length,
                },
                payload);
        }

        private void Arrived(IoOperation operation)
        {
            if (operation.Result <= 0)
            {
                _from.Close();
                _to.Close();
                return;
            }

            ReadOnlySpan<byte> bytes = _in.Span[..operation.Result];
            _arrived.AddRange(bytes);
            if (FromConnector)
            {
                _proxy.FromConnector.AddRange(bytes);
            }

            while (TakeOne())
            {
            }

            Pump();
            Receive();
        }

        private bool TakeOne()
        {
            if (_hello is null)
            {
                return TakePlain(PeerHello.Bytes, bytes => _hello = bytes);
            }

            if (!_hasProof)
            {
                return TakePlain(LinkKeys.KeyBytes, _ => _hasProof = true);
            }

            if (_arrived.Count < PeerFrame.HeaderBytes)
            {
                return false;
            }

            byte[] header = [.. _arrived.Take(PeerFrame.HeaderBytes)];
            bool isFrame = PeerFrame.TryDecode(
                header, HeaderKey, _framesIn, Keys.Session, out PeerFrame frame, out string error);
            Assert.True(isFrame, error);
            int whole = PeerFrame.HeaderBytes + (int)frame.PayloadBytes;
            if (_arrived.Count < whole)
            {
                return false;
            }

            byte[] payload = [.. _arrived.Take(whole).Skip(PeerFrame.HeaderBytes)];
            _arrived.RemoveRange(0, whole);
            _framesIn++;
            _leaving.AddRange(_proxy.Change?.Invoke(this, frame, payload) ?? Seal(frame, payload));
            return true;
        }

        private bool TakePlain(int length, Action<byte[]> taken)
        {
            if (_arrived.Count < length)
            {
                return false;
            }

            byte[] bytes = [.. _arrived.Take(length)];
            _arrived.RemoveRange(0, length);
            taken(bytes);
            _leaving.AddRange(bytes);
            return true;
        }

        private void Pump()
        {
            if (_send.IsPending || _leaving.Count == 0)
            {
                return;
            }

            int length = Math.Min(_leaving.Count, _out.LengthBytes);
            byte[] bytes = [.. _leaving.Take(length)];
            bytes.CopyTo(_out.Span);
            _leaving.RemoveRange(0, length);
            _loop.Send(_to, _out.Slice(0, length), _send);
        }
    }
}
