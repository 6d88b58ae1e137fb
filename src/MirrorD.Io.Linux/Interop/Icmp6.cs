namespace MirrorD.Io.Linux.Interop;

/// <summary>netinet/icmp6.h: neighbour discovery (RFC 4861).</summary>
[CHeader("netinet/icmp6.h")]
internal static class Icmp6
{
    public const byte ND_NEIGHBOR_SOLICIT = 135;
    public const byte ND_NEIGHBOR_ADVERT = 136;
    public const byte ND_OPT_TARGET_LINKADDR = 2;
    public const byte ND_OPT_SOURCE_LINKADDR = 1;
}
