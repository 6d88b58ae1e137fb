using MirrorD.Fuzz.Running;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Fuzz.Targets;

/// <summary>A simulated host with a listener, and clients that send bytes to it and keep what comes back.</summary>
internal sealed class SimulatedWire
{
    private const long LimitNs = 60_000_000_000;

    private static readonly UnixEndpoint s_endpoint = new("/run/fuzz");

    private readonly SimulatedWorld _world = new(1);
    private readonly SimulatedLoop _clients;
    private IListener? _listener;

    public SimulatedWire()
    {
        Loop = _world.CreateLoop("a");
        _clients = _world.CreateLoop("a");
    }

    public SimulatedWorld World => _world;

    /// <summary>The loop of what is tested.</summary>
    public SimulatedLoop Loop { get; }

    /// <summary>A connection: the accepted end, and a client at the other one.</summary>
    public (IConnection Server, Client Client) Connect()
    {
        _listener ??= Loop.Listen(s_endpoint);
        IConnection? server = null;
        Loop.Accept(_listener, new IoOperation(accept => server = accept.Connection));
        var client = new Client(_clients, s_endpoint);
        Until(() => server is not null, "the connection is accepted");
        return (server!, client);
    }

    /// <summary>A client of a listener that somebody else has.</summary>
    public Client Connect(Endpoint endpoint) => new(_clients, endpoint);

    public void Until(Func<bool> condition, string what) =>
        BrokenProperty.Unless(_world.RunUntil(condition, LimitNs), $"within a minute (simulated): {what}");

    /// <summary>Sends bytes, keeps what comes back.</summary>
    internal sealed class Client
    {
        private readonly IIoLoop _loop;
        private readonly IoBuffer _into = new(64 << 10);
        private readonly IoOperation _receive;
        private readonly IoOperation _send;
        private readonly Queue<byte[]> _toSend = new();
        private IoBuffer? _sending;
        private IConnection? _connection;
        private bool _closesWhenSent;
        private bool _isClosed;

        public Client(IIoLoop loop, Endpoint endpoint)
        {
            _loop = loop;
            _receive = new IoOperation(Received);
            _send = new IoOperation(Sent);
            loop.Connect(endpoint, 1_000_000_000, new IoOperation(connect =>
            {
                _connection = connect.Connection ?? throw new BrokenProperty($"connect failed, errno {-connect.Result}");
                _loop.Receive(_connection, _into.Slice(0, _into.LengthBytes), 1, _receive);
                SendOn();
            }));
        }

        /// <summary>What came back so far.</summary>
        public List<byte> Answers { get; } = [];

        /// <summary>The other end has closed.</summary>
        public bool IsEnded { get; private set; }

        /// <summary>All was handed to the connection.</summary>
        public bool AllSent => _connection is not null && _toSend.Count == 0 && !_send.IsPending;

        /// <summary>Nothing is under way.</summary>
        public bool IsIdle => _connection is not null && !_receive.IsPending && !_send.IsPending;

        public void Send(byte[] bytes)
        {
            if (bytes.Length > 0)
            {
                _toSend.Enqueue(bytes);
            }

            SendOn();
        }

        public void CloseWhenSent()
        {
            _closesWhenSent = true;
            SendOn();
        }

        public void Close()
        {
            if (!_isClosed)
            {
                _isClosed = true;
                _connection?.Close();
            }
        }

        private void Received(IoOperation receive)
        {
            if (receive.Result <= 0)
            {
                IsEnded = true;
                if (!_isClosed)
                {
                    Close();
                }

                return;
            }

            Answers.AddRange(_into.Span[..receive.Result]);
            _loop.Receive(_connection!, _into.Slice(0, _into.LengthBytes), 1, _receive);
        }

        private void SendOn()
        {
            if (_connection is null || _isClosed || _send.IsPending)
            {
                return;
            }

            if (_toSend.TryDequeue(out byte[]? bytes))
            {
                _sending = new IoBuffer(bytes.Length);
                bytes.CopyTo(_sending.Span);
                _loop.Send(_connection, _sending.Slice(0, bytes.Length), _send);
            }
            else if (_closesWhenSent)
            {
                Close();
            }
        }

        private void Sent(IoOperation send)
        {
            _sending!.Dispose();
            SendOn();
        }
    }
}
