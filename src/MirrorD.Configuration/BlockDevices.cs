namespace MirrorD.Configuration;

/// <summary>Which block devices a resource has on the node that serves it.</summary>
public enum BlockDevices
{
    /// <summary>Those of the kernel's nbd driver where there is one; else only the exports.</summary>
    Auto,
    /// <summary>Those of the kernel's nbd driver; without it the resource tells so.</summary>
    Nbd,
    /// <summary>None: clients use the NBD exports.</summary>
    None,
}
