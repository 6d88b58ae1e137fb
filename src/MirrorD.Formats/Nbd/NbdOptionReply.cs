namespace MirrorD.Formats.Nbd;

/// <summary>
/// Kinds of replies to options (NBD_REP_…). Bit 31 marks an error, whose data is a text for humans.
/// </summary>
public enum NbdOptionReply : uint
{
    /// <summary>Done; no further reply to this option.</summary>
    Ack = 1,
    /// <summary>One export of a list.</summary>
    Server = 2,
    /// <summary>One information (<see cref="NbdInfoType"/>) of an export.</summary>
    Info = 3,
    /// <summary>One metadata context: 32-bit identifier, then its name.</summary>
    MetaContext = 4,
    /// <summary>Option unknown or not offered.</summary>
    ErrorUnsupported = 0x80000001,
    /// <summary>Forbidden by the state or policy of the server.</summary>
    ErrorPolicy = 0x80000002,
    /// <summary>The option's data is malformed, or the option is out of place.</summary>
    ErrorInvalid = 0x80000003,
    /// <summary>Not on this platform.</summary>
    ErrorPlatform = 0x80000004,
    /// <summary>TLS first.</summary>
    ErrorTlsRequired = 0x80000005,
    /// <summary>No such export.</summary>
    ErrorUnknown = 0x80000006,
    /// <summary>The server is going down.</summary>
    ErrorShutdown = 0x80000007,
    /// <summary>The client must ask for block sizes first.</summary>
    ErrorBlockSizeRequired = 0x80000008,
    /// <summary>The option's data is too long.</summary>
    ErrorTooBig = 0x80000009,
}
