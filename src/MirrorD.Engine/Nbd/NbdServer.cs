using MirrorD.Core;
using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <summary>
/// Serves volumes to NBD clients (fixed newstyle, docs/internals/nbd.md) on one endpoint. All members are
/// used on the loop's thread only; what happens to clients is told through events, in no case by throwing.
/// </summary>
public sealed class NbdServer
{
    private readonly IIoLoop _loop;
    private readonly Endpoint _endpoint;
    private readonly NbdServerOptions _options;
    private readonly Action<NbdEvent> _report;
    private readonly NbdExport[] _exports;
    private readonly List<NbdSession> _sessions = [];
    private readonly Stack<SessionMemory> _freeMemory = new();
    private readonly IoOperation _accept;
    private readonly IoOperation _retry;
    private readonly NbdGate? _gate;
    private IListener? _listener;
    private Action? _stopped;
    private bool _stopping;

    /// <summary>Makes a server; <see cref="Start"/> begins.</summary>
    /// <param name="loop">The loop that everything runs on.</param>
    /// <param name="endpoint">Where to listen.</param>
    /// <param name="volumes">
    /// What is served, by <see cref="IVolumeFrontend.Name"/>. When there is one, the empty name means it too.
    /// </param>
    /// <param name="options">Limits.</param>
    /// <param name="report">Gets the events, on the loop's thread; must not block.</param>
    /// <param name="security">
    /// Clients have to show who they are, by TLS, before they are told anything; null: whoever can connect is served.
    /// </param>
    public NbdServer(IIoLoop loop, Endpoint endpoint, IReadOnlyList<IVolumeFrontend> volumes,
        NbdServerOptions options, Action<NbdEvent> report, ILinkSecurity? security = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(volumes.Count is > 0 and <= SessionLimits.Exports, true);
        _loop = loop;
        _endpoint = endpoint;
        _options = options;
        _report = report;
        _exports = [.. volumes.Select(volume => new NbdExport(volume, options, OnSlotReturned))];
        _accept = new IoOperation(OnAccepted);
        _retry = new IoOperation(OnRetry);
        _gate = security is null ? null : new NbdGate(loop, security, options, report, Admit, EndWhenEmpty);
    }

    /// <summary>Connections that are served, or that still finish requests.</summary>
    public int Sessions => _sessions.Count;

    /// <summary>Connections that have not shown who they are, where they have to.</summary>
    public int Strangers => _gate?.Count ?? 0;

    /// <summary>What is served.</summary>
    internal IReadOnlyList<NbdExport> Exports => _exports;

    /// <summary>Begins to listen. Throws <see cref="IOException"/> that names endpoint and cause.</summary>
    public void Start()
    {
        Invariant.Require(_listener is null, "a server is started once");
        _listener = _loop.Listen(_endpoint);
        _loop.Accept(_listener, _accept);
    }

    /// <summary>
    /// Closes all connections at once, those in the handshake too; new ones may come at any time, and whether
    /// they can open an export is up to <see cref="IVolumeFrontend.Unavailable"/>.
    /// </summary>
    /// <param name="reason">For the events.</param>
    /// <param name="closed">
    /// Called when the volume has completed all requests of these connections; before the return when
    /// there are none.
    /// </param>
    public void CloseSessions(string reason, Action? closed = null) =>
        EndSessions(session => session.Close(NbdEventKind.Closed, reason), closed);

    /// <summary>Closes the connections of clients by the keys that they have shown, and all that are in their handshake.</summary>
    /// <param name="isMeant">Gets the hash of a key.</param>
    /// <param name="reason">For the events.</param>
    public void CloseSessionsOf(Func<string, bool> isMeant, string reason)
    {
        // A key may have been judged good just before.
        _gate?.Close();
        foreach (NbdSession session in _sessions.Where(each => each.KeyHash.Length > 0 && isMeant(each.KeyHash)).ToArray())
        {
            session.Close(NbdEventKind.Closed, reason);
        }
    }

    private void EndSessions(Action<NbdSession> end, Action? ended)
    {
        _gate?.Close();
        int left = _sessions.Count + 1;
        void One()
        {
            if (--left == 0)
            {
                ended?.Invoke();
            }
        }

        foreach (NbdSession session in _sessions.ToArray())
        {
            session.WhenForgotten(One);
            end(session);
        }

        One();
    }

    /// <summary>
    /// Serves a connection whose other end begins with requests: the kernel's nbd driver, which was told the
    /// export's size and flags another way. It counts as a session, but no limit of them turns it away.
    /// </summary>
    /// <param name="connection">The server's from now on. Its server serves one volume.</param>
    /// <param name="ended">
    /// Called when the session is over and the volume has completed all of its requests: none of its writes lands
    /// later.
    /// </param>
    public void Adopt(IConnection connection, Action ended)
    {
        Invariant.Require(_exports.Length == 1, "whoever can't say what it opens is given the only volume");
        NbdSession session = AddSession(connection);
        if (Canary.Breaks(BrokenRule.ConnectionReplacedEarly))
        {
            _loop.Post(ended);
        }
        else
        {
            session.WhenForgotten(ended);
        }

        session.StartInTransmission(_exports[0]);
    }

    /// <summary>
    /// Ends all connections in order: of each no request is taken up any more; what was, is answered. A client that
    /// did not read its answers, or a volume that holds requests, is not waited for by anybody but the caller.
    /// </summary>
    /// <param name="reason">For the events.</param>
    /// <param name="finished">Called when no connection is left; before the return when there are none.</param>
    public void FinishSessions(string reason, Action finished) =>
        EndSessions(session => session.FinishInOrder(reason), finished);

    /// <summary>Stops listening and closes all connections, for good.</summary>
    /// <param name="reason">For the events.</param>
    /// <param name="stopped">Called when nothing of the server is left on the loop; its buffers are
    /// freed.</param>
    public void Stop(string reason, Action? stopped = null)
    {
        Invariant.Require(!_stopping, "a server is stopped once");
        _stopping = true;
        _stopped = stopped;
        _loop.CancelTimer(_retry);
        _listener?.Close();
        CloseSessions(reason);
        EndWhenEmpty();
    }

    /// <summary>Finds an export by the name that a client sent; null when there is none.</summary>
    internal NbdExport? Find(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty && _exports.Length == 1)
        {
            return _exports[0];
        }

        foreach (NbdExport export in _exports)
        {
            if (name.SequenceEqual(export.NameUtf8))
            {
                return export;
            }
        }

        return null;
    }

    /// <summary>Tells the outside.</summary>
    internal void Report(in NbdEvent happened) => _report(happened);

    /// <summary>Of the session nothing is left but its buffers.</summary>
    internal void Forget(NbdSession session)
    {
        bool known = _sessions.Remove(session);
        Invariant.Require(known, "a session is forgotten once");
        _freeMemory.Push(session.Memory);
        EndWhenEmpty();
    }

    private void OnAccepted(IoOperation accept)
    {
        if (_stopping)
        {
            accept.Connection?.Close();
            EndWhenEmpty();
            return;
        }

        if (accept.Result < 0)
        {
            Report(new NbdEvent(NbdEventKind.AcceptFailed, "", "", $"accept failed, errno {-accept.Result}"));
            _loop.StartTimer(_loop.NowNs + SessionLimits.AcceptRetryNs, _retry);
            return;
        }

        IConnection connection = accept.Connection!;
        if (_gate is not null)
        {
            AcceptAfter(_gate.Enter(connection));
            return;
        }

        _loop.Accept(_listener!, _accept);
        if (IsFull(connection.Name))
        {
            connection.Close();
            return;
        }

        AddSession(connection).Start();
    }

    private void AcceptAfter(long pauseNs)
    {
        if (pauseNs > 0)
        {
            _loop.StartTimer(_loop.NowNs + pauseNs, _retry);
        }
        else
        {
            _loop.Accept(_listener!, _accept);
        }
    }

    private void Admit(NbdAdmission admission)
    {
        if (_stopping || IsFull(admission.Client))
        {
            admission.Stream.Close();
            admission.Stream.Dispose();
            return;
        }

        AddSession(admission.Connection, admission).Start();
    }

    private bool IsFull(string client)
    {
        if (_sessions.Count < _options.MaxSessions)
        {
            return false;
        }

        Report(new NbdEvent(NbdEventKind.Refused, client, "",
            $"already {_sessions.Count} connections, the most that are allowed"));
        return true;
    }

    private NbdSession AddSession(IConnection connection, NbdAdmission? admission = null)
    {
        SessionMemory memory = _freeMemory.TryPop(out SessionMemory? used) ? used : new SessionMemory();
        var session = new NbdSession(this, _loop, connection, _options, memory, admission);
        _sessions.Add(session);
        return session;
    }

    private void OnRetry(IoOperation retry)
    {
        if (_stopping)
        {
            EndWhenEmpty();
            return;
        }

        _loop.Accept(_listener!, _accept);
    }

    /// <summary>Each session of the export looks for itself whether it waits for a slot.</summary>
    private void OnSlotReturned(NbdExport export)
    {
        for (int i = _sessions.Count - 1; i >= 0; i--)
        {
            // A session that runs may end, and others with it.
            if (i < _sessions.Count && _sessions[i].Export == export)
            {
                _sessions[i].Run();
            }
        }
    }

    private void EndWhenEmpty()
    {
        if (!_stopping || _sessions.Count > 0 || _gate is { Count: > 0 } || _accept.IsPending || _retry.IsPending)
        {
            return;
        }

        while (_freeMemory.TryPop(out SessionMemory? memory))
        {
            memory.Dispose();
        }

        _gate?.Dispose();
        Action? stopped = _stopped;
        _stopped = null;
        stopped?.Invoke();
    }
}
