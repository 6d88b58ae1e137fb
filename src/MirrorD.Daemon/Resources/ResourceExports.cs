using MirrorD.Configuration;
using MirrorD.Daemon.Security;
using MirrorD.Daemon.Startup;
using MirrorD.Engine;
using MirrorD.Engine.Nbd;
using MirrorD.Io;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// The NBD exports of a resource: one unix socket per volume and, where that is wanted, one TCP port for all. They listen in
/// either role, so that a client of a Standby is told who the Primary is; only while open does anybody get in.
/// </summary>
internal sealed class ResourceExports
{
    // The connections are closed at once; waited for is what the volume still holds of them, which may be
    // frozen.
    private const long CloseWaitNs = 10_000_000_000;

    // What a distant client has read waits in slots until its network has taken it: with fewer of them, all that may be
    // connected leave half of the slots to those of this host.
    private const int SlotsOfDistantClient = 8;

    private readonly IIoLoop _loop;
    private readonly List<(NbdServer Server, GatedVolume Volume)> _exports = [];
    private NbdTcpListener? _tcp;

    private volatile bool _isOpen;

    private ResourceExports(IIoLoop loop) => _loop = loop;

    /// <summary>Clients may get in, as far as the engine lets them.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Begins to listen. On the loop's thread, when the engine has loaded.</summary>
    /// <param name="loop">The resource's loop.</param>
    /// <param name="volumes">Socket path and volume.</param>
    /// <param name="report">Told what happens to clients.</param>
    /// <param name="withTcp"><see cref="StartTcp"/> follows.</param>
    /// <exception cref="IOException">A socket can't be made.</exception>
    public static ResourceExports Start(
        IIoLoop loop, IReadOnlyList<(string Socket, IVolumeFrontend Volume)> volumes, Action<NbdEvent> report, bool withTcp)
    {
        var exports = new ResourceExports(loop);
        NbdServerOptions options = Options(volumes.Count - 1 + (withTcp ? 1 : 0));
        foreach ((string socket, IVolumeFrontend volume) in volumes)
        {
            var gated = new GatedVolume(volume, $"{volume.Name} is being taken over or released; try again");
            var server = new NbdServer(
                loop, new UnixEndpoint(socket), [gated], options, report);
            server.Start();
            RunDirectory.OpenToGroup(socket);
            exports._exports.Add((server, gated));
        }

        return exports;
    }

    /// <summary>Begins to listen for clients with certificates, too. On the loop's thread.</summary>
    /// <param name="wanted">Where, and for whom.</param>
    /// <param name="security">Who this node is.</param>
    /// <param name="report">Told what happens to clients.</param>
    public void StartTcp(NbdTcpConfiguration wanted, NodeSecurity security, Action<NbdEvent> report)
    {
        var server = new NbdServer(
            _loop, new TcpEndpoint(wanted.Address, wanted.Port) { IsAwaited = true },
            [.. _exports.Select(export => export.Volume)],
            Options(_exports.Count) with { MaxSlotsPerSession = SlotsOfDistantClient }, report,
            new TlsClientSecurity(security, _loop, wanted.Allow));
        _tcp = new NbdTcpListener(_loop, server, report);
        _tcp.Start();
    }

    /// <summary>Ends the connections of clients whose keys were taken back. On the loop's thread.</summary>
    public void CloseRevoked(Func<string, bool> isRevoked) =>
        _tcp?.Server.CloseSessionsOf(isRevoked, "its key was taken back");

    /// <summary>All servers of the resource share its slots.</summary>
    private static NbdServerOptions Options(int neighbours)
    {
        var options = new NbdServerOptions();
        return options with { NeighbourSessions = neighbours * options.MaxSessions };
    }

    /// <summary>Lets clients in. On the loop's thread.</summary>
    public void Open()
    {
        _exports.ForEach(export => export.Volume.IsOpen = true);
        _isOpen = true;
    }

    /// <summary>Serves a volume to the kernel. On the loop's thread.</summary>
    /// <param name="volume">Its place in the order of <see cref="Start"/>.</param>
    /// <param name="connection">The kernel's.</param>
    /// <param name="ended">Called there when nothing of it is left.</param>
    public void Serve(int volume, IConnection connection, Action ended) =>
        _exports[volume].Server.Adopt(connection, ended);

    /// <summary>
    /// Lets nobody in from now on, takes up no more requests, and ends all sessions when what was taken up is answered; those
    /// over TCP without their answers. On the loop's thread.
    /// </summary>
    /// <param name="reason">For the log.</param>
    /// <param name="done">Called there; never when a volume holds requests for ever.</param>
    public void Finish(string reason, Action done) => EndSessions(
        (server, ended) =>
        {
            if (server == _tcp?.Server)
            {
                // A distant client that reads slowly is not to hold up those of this host.
                server.CloseSessions(reason, ended);
            }
            else
            {
                server.FinishSessions(reason, ended);
            }
        },
        done);

    /// <summary>Lets nobody in from now on, and ends all sessions. On the loop's thread.</summary>
    /// <param name="done">Called there when nothing is left of them, or a deadline has passed.</param>
    public void Close(Action done)
    {
        var deadline = new IoOperation(_ => done());
        _loop.StartTimer(_loop.NowNs + CloseWaitNs, deadline);

        // Its end calls back.
        EndSessions(
            (server, ended) => server.CloseSessions("the resource is released", ended),
            () => _loop.CancelTimer(deadline));
    }

    /// <summary>Lets nobody in, and counts down until the last session of all has ended.</summary>
    private void EndSessions(Action<NbdServer, Action> end, Action ended)
    {
        _isOpen = false;
        _exports.ForEach(export => export.Volume.IsOpen = false);
        List<NbdServer> servers = [.. _exports.Select(export => export.Server)];
        if (_tcp is not null)
        {
            servers.Add(_tcp.Server);
        }

        int left = servers.Count;
        foreach (NbdServer server in servers)
        {
            end(server, () =>
            {
                if (--left == 0)
                {
                    ended();
                }
            });
        }
    }
}
