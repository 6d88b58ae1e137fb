namespace MirrorD.Formats.Nbd;

/// <summary>Option codes (NBD_OPT_…) that a client may send during the handshake.</summary>
public enum NbdOption : uint
{
    /// <summary>Names the export and ends the handshake without a reply header.</summary>
    ExportName = 1,
    /// <summary>Ends the connection in order.</summary>
    Abort = 2,
    /// <summary>Lists the names of the exports.</summary>
    List = 3,
    /// <summary>TLS; not offered.</summary>
    StartTls = 5,
    /// <summary>Asks about an export.</summary>
    Info = 6,
    /// <summary>Asks about an export and ends the handshake.</summary>
    Go = 7,
    /// <summary>Reads are answered in chunks.</summary>
    StructuredReply = 8,
    /// <summary>Lists metadata contexts of an export.</summary>
    ListMetaContext = 9,
    /// <summary>Selects metadata contexts of an export.</summary>
    SetMetaContext = 10,
    /// <summary>Requests with 64-bit lengths; not offered.</summary>
    ExtendedHeaders = 11,
}
