using MirrorD.Daemon.Startup;
using MirrorD.Io.Linux.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace MirrorD.Daemon.Access;

/// <summary>
/// The unix sockets of the control API. Their modes say who can connect; what a caller may do follows from what the kernel
/// says of each connection, which bears its <see cref="Caller"/> as a feature.
/// </summary>
/// <param name="context">Where they are.</param>
/// <param name="groups">Whose members may use them.</param>
internal sealed class ControlSockets(NodeContext context, AccessGroups groups)
{
    /// <summary>Connections at once on each socket: those who may only read take no room from those who control.</summary>
    public const int MostConnections = 200;

    private IEnumerable<(ApiSocket Socket, string Path)> All =>
    [
        (ApiSocket.Control, context.ControlSocket),
        (ApiSocket.Read, context.ReadSocket),
        (ApiSocket.Calls, context.CallSocket),
    ];

    /// <summary>Has the server listen on them.</summary>
    public void Listen(KestrelServerOptions kestrel)
    {
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        foreach ((ApiSocket socket, string path) in All)
        {
            kestrel.ListenUnixSocket(
                path, listen => listen.Use(next => connection => Connected(connection, socket, next)));
        }
    }

    /// <summary>Removes those of a daemon that ended. The run directory is held: nobody listens there.</summary>
    public void RemoveLeftOvers()
    {
        foreach ((_, string path) in All)
        {
            File.Delete(path);
        }
    }

    /// <summary>Opens them to those whom they are for; until then they are their owner's.</summary>
    public void Open()
    {
        RunDirectory.OpenToGroup(context.ControlSocket, groups.Control);
        RunDirectory.OpenToGroup(context.ReadSocket, groups.Read);
        RunDirectory.OpenToGroup(context.CallSocket, null);
    }

    private async Task Connected(ConnectionContext connection, ApiSocket socket, ConnectionDelegate next)
    {
        int fd = (int)connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket.Handle;
        PeerCredentials peer = PeerCredentials.Of(fd);
        Rights rights = groups.RightsOf(peer, socket);
        connection.Features.Set(Caller.Here(peer, rights));
        if (socket == ApiSocket.Calls && rights == Rights.All)
        {
            connection.Features.Set(await BroughtCalls.Read(connection.Transport.Input, connection.ConnectionClosed));
        }

        await next(connection);
    }
}
