namespace MirrorD.Io.Linux.Interop;

/// <summary>netinet/tcp.h.</summary>
[CHeader("netinet/tcp.h")]
internal static class Tcp
{
    public const int TCP_NODELAY = 1;
    public const int TCP_KEEPIDLE = 4;
    public const int TCP_KEEPINTVL = 5;
    public const int TCP_KEEPCNT = 6;
    public const int TCP_USER_TIMEOUT = 18;
}
