using System.Net;

namespace MirrorD.Io.Simulated;

/// <summary>A listening socket of a simulated process.</summary>
internal sealed class SimulatedListener(SimulatedNetwork network, SimulatedLoop loop, Endpoint endpoint)
    : IListener
{
    private const int BacklogLimit = 64;

    private readonly Queue<SimulatedConnection> _backlog = new();
    private IoOperation? _accept;
    private IReadOnlyList<IPAddress>? _callers;
    private bool _closed;

    public SimulatedLoop Loop { get; } = loop;

    public Endpoint Endpoint { get; } = endpoint;

    public void LetIn(IReadOnlyList<IPAddress>? callers) => _callers = callers;

    /// <summary>Somebody from there may connect.</summary>
    public bool IsLetIn(IPAddress? caller) => _callers is null || caller is null || _callers.Contains(caller);

    public bool HasRoom => _backlog.Count < BacklogLimit;

    public void Accept(IoOperation operation)
    {
        if (_closed)
        {
            Loop.CompleteSoon(operation, -Errno.ECANCELED);
            return;
        }

        if (_accept is not null)
        {
            throw new InvalidOperationException("An accept is already pending.");
        }

        _accept = operation;
        CompleteAccept();
    }

    public void Offer(SimulatedConnection connection)
    {
        _backlog.Enqueue(connection);
        CompleteAccept();
    }

    public void Close()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        network.Forget(this);
        if (_accept is { } pending)
        {
            _accept = null;
            Loop.CompleteSoon(pending, -Errno.ECANCELED);
        }

        foreach (SimulatedConnection waiting in _backlog)
        {
            waiting.EndWithProcess();
        }

        _backlog.Clear();
    }

    private void CompleteAccept()
    {
        if (_accept is not { } operation || _backlog.Count == 0)
        {
            return;
        }

        Loop.After(Loop.TurnNs(), () =>
        {
            if (_accept == operation && _backlog.TryDequeue(out SimulatedConnection? connection))
            {
                _accept = null;
                operation.Complete(0, connection);
            }
        });
    }
}
