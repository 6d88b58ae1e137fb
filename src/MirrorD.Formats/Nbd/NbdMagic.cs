namespace MirrorD.Formats.Nbd;

/// <summary>
/// Magic numbers of the NBD protocol (NetworkBlockDevice/nbd, doc/proto.md). All big-endian on the wire.
/// </summary>
public static class NbdMagic
{
    /// <summary>"NBDMAGIC": the first eight bytes a server sends.</summary>
    public const ulong Greeting = 0x4e42444d41474943;

    /// <summary>
    /// "IHAVEOPT": newstyle; before the server's flags and before every option of the client.
    /// </summary>
    public const ulong Option = 0x49484156454f5054;

    /// <summary>Before every reply to an option.</summary>
    public const ulong OptionReply = 0x0003e889045565a9;

    /// <summary>Before every request of the transmission phase.</summary>
    public const uint Request = 0x25609513;

    /// <summary>Before a simple reply.</summary>
    public const uint SimpleReply = 0x67446698;

    /// <summary>Before every chunk of a structured reply.</summary>
    public const uint StructuredReply = 0x668e33ef;
}
