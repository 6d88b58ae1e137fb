using MirrorD.Daemon.Startup;
using MirrorD.Engine;
using MirrorD.Engine.Nbd;
using MirrorD.Io;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// NBD exports, for reading only, of the copies that a Standby has; one unix socket per volume, which is there only
/// while they are open. On the loop's thread only.
/// </summary>
/// <param name="loop">The resource's loop.</param>
/// <param name="sockets">Where to listen, in the order of the volumes.</param>
/// <param name="report">Told what happens to clients.</param>
internal sealed class CopyExports(IIoLoop loop, IReadOnlyList<string> sockets, Action<NbdEvent> report)
{
    private readonly List<NbdServer> _servers = [];

    /// <summary>Begins to listen.</summary>
    /// <returns>Null, or what failed.</returns>
    public string? Open(IReadOnlyList<IVolumeFrontend> copies)
    {
        try
        {
            for (int i = 0; i < copies.Count; i++)
            {
                RunDirectory.MakeForGroup(Path.GetDirectoryName(sockets[i])!);
                var server = new NbdServer(loop, new UnixEndpoint(sockets[i]), [copies[i]], new NbdServerOptions(), report);
                server.Start();
                _servers.Add(server);
                RunDirectory.OpenToGroup(sockets[i]);
            }

            return null;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return $"the sockets can't be made: {failed.Message.TrimEnd('.')}";
        }
    }

    /// <summary>Listens no more and ends all connections.</summary>
    public void Close(string reason)
    {
        _servers.ForEach(server => server.Stop(reason));
        _servers.Clear();
    }
}
