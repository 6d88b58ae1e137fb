using System.Globalization;
using System.Text.RegularExpressions;
using MirrorD.Io.Linux.Sockets;
using Mono.Unix.Native;

namespace MirrorD.Daemon.Access;

/// <summary>Who makes a call of the control API, and what it may do.</summary>
/// <param name="Name">Name of the user, or its number where it has none; anything unusual in it is percent-encoded.</param>
/// <param name="UserId">Null when a node did not say.</param>
/// <param name="ProcessId">The process that connected; null for a caller on another node.</param>
/// <param name="Node">The node on which it is; null for this one.</param>
/// <param name="Rights">What it may do.</param>
internal sealed partial record Caller(string Name, uint? UserId, int? ProcessId, string? Node, Rights Rights)
{
    /// <summary>A node has passed a call on without saying whose: nobody answers for a change.</summary>
    public static Caller Unknown { get; } = new("unknown", null, null, "?", Rights.Read);

    /// <summary>Somebody on this host.</summary>
    public static Caller Here(PeerCredentials peer, Rights rights) =>
        new(NameOf(peer.UserId), peer.UserId, peer.ProcessId, null, rights);

    /// <summary>
    /// Somebody on another node, by that node's word; <see cref="Unknown"/> when it gave none that can be read.
    /// </summary>
    /// <param name="header">What <see cref="ToHeader"/> wrote there.</param>
    /// <param name="node">That node, by its certificate: it speaks for its own users only.</param>
    public static Caller Elsewhere(string? header, string node)
    {
        Match match = Header().Match(header ?? "");
        return match.Success && match.Groups["node"].Value == node
            && uint.TryParse(match.Groups["uid"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out uint uid)
            ? new Caller(
                match.Groups["name"].Value, uid, null, match.Groups["node"].Value,
                match.Groups["rights"].Value == "all" ? Rights.All : Rights.Read)
            : Unknown;
    }

    /// <summary>For the node to which a call is passed on.</summary>
    /// <param name="node">This node.</param>
    public string ToHeader(string node) => string.Create(
        CultureInfo.InvariantCulture, $"{Name}@{node}; uid={UserId}; rights={(Rights == Rights.All ? "all" : "read")}");

    /// <summary>Why a call is refused and what to do; null when it is not.</summary>
    /// <param name="changes">It is no GET.</param>
    public (string Problem, string Remedy)? Refusal(bool changes) =>
        Rights == Rights.None
            ? ($"user {Name} may not use this socket",
                $"use mirrord.sock, as root or as a member of the group {AccessGroups.ControlName}")
        : !changes || Rights == Rights.All ? null
        : UserId is null
            ? ("the node that passed this call on did not say who asks", "bring both nodes to one version of mirrord")
        : ($"user {Name} may only read here, and this changes something",
            $"run it as root or as a member of the group {AccessGroups.ControlName}");

    /// <summary>For the log: anna uid=1000 pid=4711, or anna@a uid=1000.</summary>
    public override string ToString() =>
        (Node is null ? Name : $"{Name}@{Node}")
        + (UserId is null ? "" : string.Create(CultureInfo.InvariantCulture, $" uid={UserId}"))
        + (ProcessId is null ? "" : string.Create(CultureInfo.InvariantCulture, $" pid={ProcessId}"));

    // Root needs no look-up: it must not wait for a directory service.
    private static string NameOf(uint userId) => userId == 0 ? "root"
        : Syscall.getpwuid(userId)?.pw_name is { Length: > 0 } name ? Uri.EscapeDataString(name)
        : userId.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"\A(?<name>[A-Za-z0-9._~%-]{1,200})@(?<node>[A-Za-z0-9._-]{1,63}); "
        + @"uid=(?<uid>[0-9]{1,10}); rights=(?<rights>all|read)\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Header();
}
