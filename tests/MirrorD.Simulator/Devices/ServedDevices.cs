using MirrorD.Engine;
using MirrorD.Engine.Nbd;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator.Devices;

/// <summary>
/// The NBD servers of one process, and the kernel's devices that it serves through them: as the daemon does
/// it. A device gets another connection only when nothing of the earlier one is left.
/// </summary>
public sealed class ServedDevices(SimulatedNodeState node, SimulatedLoop loop, PairSimulation simulation)
{
    private const long Millisecond = 1_000_000;
    private const long CloseWaitNs = 10_000 * Millisecond;

    private readonly long[] _connections = new long[node.Devices.Length];
    private NbdServer[] _servers = [];
    private int _openings;
    private int _wanted;
    private int _removals;

    /// <summary>Puts all devices in place.</summary>
    public void Open()
    {
        if (_servers.Length == 0)
        {
            _servers = [.. node.Devices.Select((_, volume) => Server(node.Resource!.Frontend(volume)))];
        }

        int wanted = _wanted = ++_openings;
        for (int volume = 0; volume < _servers.Length; volume++)
        {
            Attach(volume, wanted, begins: true, atMostMs: 5);
        }
    }

    /// <summary>Takes all devices away; ends when that has happened, or a deadline passed.</summary>
    public void Close(Action done)
    {
        _wanted = 0;
        bool areSessionsOver = false;
        int left = _servers.Length + 1;
        var deadline = new IoOperation(_ => EndSessions());
        loop.StartTimer(loop.NowNs + CloseWaitNs, deadline);
        _removals++;
        After(20, () =>
        {
            _removals--;
            for (int volume = 0; volume < node.Devices.Length; volume++)
            {
                node.Devices[volume].Remove(_servers.Length > 0 && _servers[volume].Sessions > 0);
            }

            EndOne();
        });
        foreach (NbdServer server in _servers)
        {
            server.CloseSessions("the resource is released", EndOne);
        }

        void EndOne()
        {
            if (--left == 0)
            {
                loop.CancelTimer(deadline);
            }
        }

        void EndSessions()
        {
            if (!areSessionsOver)
            {
                areSessionsOver = true;
                done();
            }
        }
    }

    /// <summary>The daemon restarts: answers what it has, and takes nothing more. The devices stay.</summary>
    public void Finish(Action finished)
    {
        _wanted = 0;
        int left = _servers.Length + 1;
        foreach (NbdServer server in _servers)
        {
            server.FinishSessions("restart", EndOne);
        }

        EndOne();

        void EndOne()
        {
            if (--left == 0)
            {
                finished();
            }
        }
    }

    private NbdServer Server(IVolumeFrontend volume) => new(
        loop, new UnixEndpoint($"/run/{volume.Name}"), [volume],
        new NbdServerOptions { MaxSessions = 2, MaxRequestsPerSession = simulation.Scenario.DeviceQueue },
        happened =>
        {
            simulation.Note($"{node.Name}: nbd {happened}");
            if (happened.Kind == NbdEventKind.Violation)
            {
                throw new RuleBroken("contract", $"the kernel was told off: {happened}");
            }
        });

    private void Attach(int volume, int wanted, bool begins, long atMostMs) => After(atMostMs, () =>
    {
        if (_wanted != wanted)
        {
            return;
        }

        if (_removals > 0 || node.Devices[volume].IsLinked)
        {
            // The kernel has not yet seen that the earlier connection is dead.
            Attach(volume, wanted, begins, atMostMs: 100);
            return;
        }

        Connect(volume, wanted, begins);
    });

    private void Connect(int volume, int wanted, bool begins)
    {
        long number = ++_connections[volume];
        var link = new KernelLink(node.Kernel!, node.Devices[volume]);
        var endpoint = new UnixEndpoint($"/kernel/{volume}/{number}");
        IListener listener = loop.Listen(endpoint);
        int ends = 2;
        loop.Accept(listener, new IoOperation(accept =>
        {
            listener.Close();
            if (_wanted != wanted)
            {
                accept.Connection!.Close();
                return;
            }

            _servers[volume].Adopt(accept.Connection!, () => Ended(volume, wanted, number));
            JoinOne();
        }));
        node.Kernel!.Connect(endpoint, 1000 * Millisecond, new IoOperation(connect =>
        {
            link.Begin(connect.Connection!);
            JoinOne();
        }));

        void JoinOne()
        {
            if (--ends == 0)
            {
                Joined(volume, link, wanted, begins);
            }
        }
    }

    private void Joined(int volume, KernelLink link, int wanted, bool begins)
    {
        if (_wanted != wanted)
        {
            link.Close();
            return;
        }

        if (node.CanOpen)
        {
            simulation.IsAsked(node);
        }

        node.Devices[volume].Attach(link, begins, () => _servers[volume].Sessions);
    }

    private void Ended(int volume, int wanted, long number)
    {
        if (_servers[volume].Sessions == 0)
        {
            node.Devices[volume].SessionsEnded();
        }

        if (_wanted == wanted && _connections[volume] == number)
        {
            Attach(volume, wanted, begins: false, atMostMs: 5);
        }
    }

    private void After(long atMostMs, Action action) => simulation.World.Schedule(
        simulation.World.Random.Between(0, atMostMs * Millisecond), () =>
        {
            if (!loop.IsDead)
            {
                loop.Post(action);
            }
        });
}
