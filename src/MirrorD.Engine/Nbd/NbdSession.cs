using MirrorD.Core;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <summary>
/// One client of an <see cref="NbdServer"/>, from its connection until nothing of it is left.
/// <code>
/// ClientFlags ──► Options ──► Transmission ──► Finishing ──► Closing ──► forgotten
///      └─────────────┴─────────────┴──────────────────────────▲
/// </code>
/// Finishing: the client left in order; its requests are completed, nothing more is read. Closing: the
/// connection is closed; what the volume and the loop still hold is awaited. Invariants: at most one receive
/// and one send; every rented slot belongs to exactly one piece that is not free; forgotten only without
/// pieces and operations. Everything happens in <see cref="Run"/>, which takes what can be taken from the
/// input and sends what can be sent.
/// </summary>
internal sealed partial class NbdSession
{
    private readonly NbdServer _server;
    private readonly NbdServerOptions _options;
    private readonly IIoLoop _loop;
    private readonly IConnection _connection;
    private readonly string _client;
    private readonly SessionMemory _memory;
    private readonly ReceiveWindow _input;
    private readonly IoOperation _receive;
    private readonly IoOperation _send;
    private readonly IoOperation _handshakeTimer;
    private List<Action>? _whenForgotten;
    private Phase _phase = Phase.ClientFlags;
    private NbdExport? _export;
    private bool _running;
    private bool _runAgain;
    private bool _forgotten;

    // Set when no more requests are to be taken up.
    private string? _finishReason;

    /// <summary>Begins to serve a connection.</summary>
    public NbdSession(NbdServer server, IIoLoop loop, IConnection connection, NbdServerOptions options,
        SessionMemory memory, NbdAdmission? admission = null)
    {
        _server = server;
        _loop = loop;
        _connection = connection;
        _options = options;
        _memory = memory;
        _input = new ReceiveWindow(memory.Receive);
        _receive = new IoOperation(OnReceived);
        _send = new IoOperation(OnSent);
        _query = new IoOperation(OnAllocation);
        _handshakeTimer = new IoOperation(OnHandshakeTimer);
        _sealed = admission?.Stream;
        _client = admission?.Client ?? connection.Name;
        KeyHash = admission?.KeyHash ?? "";
        if (admission is not null)
        {
            // These were said before TLS.
            _fixedNewstyle = true;
            _noZeroes = admission.NoZeroes;
            _phase = Phase.Options;
        }
    }

    private enum Phase
    {
        ClientFlags,
        Options,
        Transmission,
        Finishing,
        Closing,
    }

    /// <summary>What the client opened; null during the handshake.</summary>
    public NbdExport? Export => _export;

    /// <summary>Buffers to reuse once the session is forgotten.</summary>
    public SessionMemory Memory => _memory;

    /// <summary>Hash of the key that the client has shown; empty without TLS.</summary>
    public string KeyHash { get; }

    /// <summary>Greets the client, unless that was done before TLS.</summary>
    public void Start()
    {
        _loop.StartTimer(_loop.NowNs + _options.HandshakeTimeoutNs, _handshakeTimer);
        if (_phase == Phase.ClientFlags)
        {
            WriteGreeting();
        }

        Run();
    }

    /// <summary>Serves a client that begins with requests.</summary>
    public void StartInTransmission(NbdExport export)
    {
        Open(export);
        Run();
    }

    /// <summary>
    /// Takes up no more requests, and closes when those that were taken up are answered. What the client sent
    /// since is not read.
    /// </summary>
    public void FinishInOrder(string reason)
    {
        _finishReason ??= reason;
        if (_phase < Phase.Transmission)
        {
            Close(NbdEventKind.Closed, reason);
        }

        FinishAtBoundary();
        Run();
    }

    /// <summary>Does all that can be done now. A call from within has it done once more.</summary>
    public void Run()
    {
        if (_running)
        {
            _runAgain = true;
            return;
        }

        _running = true;
        do
        {
            _runAgain = false;
            ReadInput();
            SendReplies();
        }
        while (_runAgain);
        _running = false;
        ForgetWhenEmpty();
    }

    /// <summary>Closes the connection; requests that the volume has are completed but not answered.</summary>
    /// <param name="kind">What to report; nothing is reported of a client that opened no export and did no
    /// wrong.</param>
    /// <param name="text">Why.</param>
    public void Close(NbdEventKind kind, string text)
    {
        if (_phase == Phase.Closing)
        {
            return;
        }

        _phase = Phase.Closing;
        if (_export is not null || kind is NbdEventKind.Violation or NbdEventKind.Refused)
        {
            Report(kind, text);
        }

        _loop.CancelTimer(_handshakeTimer);
        _sealed?.Close();
        _connection.Close();
        ReleaseIdlePieces();
        ForgetWhenEmpty();
    }

    /// <summary>Has somebody told, on the loop's thread, when the session is forgotten.</summary>
    public void WhenForgotten(Action told) => (_whenForgotten ??= []).Add(told);

    private void Report(NbdEventKind kind, string text) =>
        _server.Report(new NbdEvent(kind, _client, _export?.Volume.Name ?? "", text));

    private void Violation(string text) => Close(NbdEventKind.Violation, text);

    private void OnHandshakeTimer(IoOperation timer)
    {
        if (timer.Result == 0 && _phase is Phase.ClientFlags or Phase.Options)
        {
            Violation($"handshake not finished within {_options.HandshakeTimeoutNs / 1_000_000} ms");
        }

        ForgetWhenEmpty();
    }

    private void ForgetWhenEmpty()
    {
        bool busy = _phase != Phase.Closing || _running || _piecesInUse > 0 || _receive.IsPending
            || _send.IsPending || _query.IsPending || _handshakeTimer.IsPending;
        if (busy || _forgotten)
        {
            return;
        }

        Invariant.Require(_slotsHeld == 0, "a session without pieces holds no slots");
        _forgotten = true;
        _sealed?.Dispose();
        _server.Forget(this);
        foreach (Action told in _whenForgotten ?? [])
        {
            told();
        }
    }
}
