using MirrorD.Io.Linux.Sockets;
using Mono.Unix.Native;

namespace MirrorD.Daemon.Access;

/// <summary>The groups of this host whose members may use the control API, as they were when the daemon started.</summary>
/// <param name="Control">Id of the group mirrord; null where there is none.</param>
/// <param name="Read">Id of the group mirrord-read; null where there is none.</param>
internal sealed record AccessGroups(uint? Control, uint? Read)
{
    /// <summary>May do all.</summary>
    public const string ControlName = "mirrord";

    /// <summary>May read.</summary>
    public const string ReadName = "mirrord-read";

    /// <summary>Looked up once: a directory service may be slow, and threads ask that must not wait.</summary>
    public static AccessGroups OfThisHost { get; } = new(IdOf(ControlName), IdOf(ReadName));

    /// <summary>What somebody may do who has connected one of the sockets, whatever the mode of its file is.</summary>
    public Rights RightsOf(PeerCredentials peer, ApiSocket socket)
    {
        // A daemon that root did not start obeys who did.
        bool isOwner = peer.UserId == 0 || peer.UserId == Syscall.geteuid();
        bool mayControl = isOwner || Has(peer, Control);
        return socket switch
        {
            ApiSocket.Control => mayControl ? Rights.All : Rights.None,
            ApiSocket.Read => mayControl || Has(peer, Read) ? Rights.Read : Rights.None,
            ApiSocket.Calls => isOwner && peer.ProcessId == Environment.ProcessId ? Rights.All : Rights.None,
            _ => Rights.None,
        };
    }

    private static bool Has(PeerCredentials peer, uint? group) => group is { } id && peer.Groups.Contains(id);

    private static uint? IdOf(string name) => Syscall.getgrnam(name)?.gr_gid;
}
