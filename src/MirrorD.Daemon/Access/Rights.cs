namespace MirrorD.Daemon.Access;

/// <summary>What a caller of the control API may do; each includes the ones before it.</summary>
internal enum Rights
{
    /// <summary>Nothing: every call is refused.</summary>
    None,

    /// <summary>GET calls.</summary>
    Read,

    /// <summary>All calls.</summary>
    All,
}
