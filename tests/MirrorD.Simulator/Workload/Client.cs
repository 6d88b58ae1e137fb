namespace MirrorD.Simulator.Workload;

/// <summary>
/// A client that has one request at a time: sends a random one to the node that serves, pauses, goes on. Most go
/// through the service address; some live on a node and use what is exported there, wherever the address is.
/// </summary>
public sealed class Client(PairSimulation simulation, Hotspots hotspots, SimulatedNodeState? home)
{
    private const long Millisecond = 1_000_000;
    private const long RetryNs = 20 * Millisecond;

    private ClientRequest? _request;
    private bool _isStopped;

    /// <summary>Begins.</summary>
    public void Start() => Again(simulation.World.Random.Between(0, simulation.ThinkNs));

    /// <summary>Submits nothing more.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>The server of its request died.</summary>
    public void LoseServer(ClientRequest request)
    {
        if (_request == request)
        {
            _request = null;
            Again(RetryNs);
        }
    }

    private void Again(long delayNs)
    {
        if (!_isStopped)
        {
            simulation.World.Schedule(delayNs, Next);
        }
    }

    private void Next()
    {
        if (_isStopped || _request is not null)
        {
            return;
        }

        SimulatedNodeState? server = home is null ? simulation.ServerByAddress() : home.CanOpen ? home : null;
        if (server is null)
        {
            Again(RetryNs);
            return;
        }

        simulation.IsAsked(server);
        _request = ClientRequest.Submit(simulation, server, hotspots, Ended);
        if (_request is null)
        {
            Again(RetryNs);
        }
        else if (home is null)
        {
            ClientRequest request = _request;
            long patienceNs = simulation.World.Random.Between(200, 3000) * Millisecond;
            simulation.World.Schedule(patienceNs, () => GiveUp(request));
        }
    }

    /// <summary>Nothing came back in time, and the address leads elsewhere: the request stays where it is.</summary>
    private void GiveUp(ClientRequest request)
    {
        if (_request != request)
        {
            return;
        }

        if (simulation.Addresses.Route() == request.Server.Name)
        {
            simulation.World.Schedule(500 * Millisecond, () => GiveUp(request));
            return;
        }

        _request = null;
        Again(RetryNs);
    }

    private void Ended(ClientRequest request, int error)
    {
        if (_request == request)
        {
            _request = null;
            long thinkNs = simulation.World.Random.Between(0, 2 * simulation.ThinkNs);
            Again(error != 0 ? RetryNs : thinkNs);
        }
    }
}
