namespace MirrorD.Daemon.Access;

/// <summary>The unix sockets on which the control API is served.</summary>
internal enum ApiSocket
{
    /// <summary>For root and the group mirrord.</summary>
    Control,

    /// <summary>For reading, by the group mirrord-read.</summary>
    Read,

    /// <summary>Calls of other nodes, brought by this process.</summary>
    Calls,
}
