namespace MirrorD.Formats.Nbd;

/// <summary>Error values that the protocol defines for replies; they equal the numbers of Linux.</summary>
public enum NbdError : uint
{
    /// <summary>Success.</summary>
    None = 0,
    /// <summary>EPERM.</summary>
    NotPermitted = 1,
    /// <summary>EIO.</summary>
    InputOutput = 5,
    /// <summary>ENOMEM.</summary>
    NoMemory = 12,
    /// <summary>EINVAL.</summary>
    Invalid = 22,
    /// <summary>ENOSPC.</summary>
    NoSpace = 28,
    /// <summary>EOVERFLOW.</summary>
    Overflow = 75,
    /// <summary>ENOTSUP.</summary>
    NotSupported = 95,
    /// <summary>ESHUTDOWN.</summary>
    Shutdown = 108,
}
