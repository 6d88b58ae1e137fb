using MirrorD.Daemon.Startup;
using MirrorD.Daemon.Takeover;
using MirrorD.Engine;
using MirrorD.Engine.Nbd;
using MirrorD.Io;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// The NBD exports of a resource, one unix socket per volume. They listen in either role, so that a client of
/// a Standby is told who the Primary is; only while open does anybody get in.
/// </summary>
internal sealed class ResourceExports : IExports
{
    // The connections are closed at once; waited for is what the volume still holds of them, which may be
    // frozen.
    private static readonly TimeSpan s_closeWait = TimeSpan.FromSeconds(10);

    private readonly IIoLoop _loop;
    private readonly List<(NbdServer Server, GatedVolume Volume)> _exports = [];

    private volatile bool _isOpen;

    private ResourceExports(IIoLoop loop) => _loop = loop;

    /// <summary>Clients may get in, as far as the engine lets them.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Begins to listen. On the loop's thread, when the engine has loaded.</summary>
    /// <param name="loop">The resource's loop.</param>
    /// <param name="volumes">Socket path and volume.</param>
    /// <param name="report">Told what happens to clients.</param>
    /// <exception cref="IOException">A socket can't be made.</exception>
    public static ResourceExports Start(
        IIoLoop loop, IEnumerable<(string Socket, IVolumeFrontend Volume)> volumes, Action<NbdEvent> report)
    {
        var exports = new ResourceExports(loop);
        foreach ((string socket, IVolumeFrontend volume) in volumes)
        {
            var gated = new GatedVolume(volume, $"{volume.Name} is being taken over or released; try again");
            var server = new NbdServer(
                loop, new UnixEndpoint(socket), [gated], new NbdServerOptions(), report);
            server.Start();
            RunDirectory.OpenToGroup(socket);
            exports._exports.Add((server, gated));
        }

        return exports;
    }

    public Task Open() => OnLoop(done =>
    {
        _exports.ForEach(export => export.Volume.IsOpen = true);
        _isOpen = true;
        done();
    });

    public async Task Close()
    {
        Task closed = OnLoop(done =>
        {
            _isOpen = false;
            int left = _exports.Count;
            foreach ((NbdServer server, GatedVolume volume) in _exports)
            {
                volume.IsOpen = false;
                server.CloseSessions("the resource is released", () =>
                {
                    if (--left == 0)
                    {
                        done();
                    }
                });
            }
        });
        await Task.WhenAny(closed, Task.Delay(s_closeWait));
    }

    private Task OnLoop(Action<Action> action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.Post(() => action(() => done.TrySetResult()));
        return done.Task;
    }
}
