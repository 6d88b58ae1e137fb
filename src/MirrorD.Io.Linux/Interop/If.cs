using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>net/if.h and sys/ioctl.h: network interfaces by name.</summary>
[CHeader("net/if.h", "sys/ioctl.h")]
internal static unsafe partial class If
{
    public const int IF_NAMESIZE = 16;
    public const uint SIOCGIFHWADDR = 0x8927;

    /// <summary>Index, or 0 with errno ENODEV.</summary>
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial uint if_nametoindex(string name);

    /// <summary>Name into IF_NAMESIZE bytes, or null.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial byte* if_indextoname(uint index, byte* name);
}

/// <summary>linux/if.h: flags of a network interface.</summary>
[CHeader("linux/if.h")]
internal static class IfFlags
{
    /// <summary>The driver signals a carrier, and the interface is up.</summary>
    public const uint IFF_LOWER_UP = 0x10000;
}

/// <summary>struct ifreq as SIOCGIFHWADDR fills it in.</summary>
[CHeader("net/if.h")]
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ifreq
{
    [CName("ifr_name")] public fixed byte ifr_name[If.IF_NAMESIZE];
    [CName("ifr_hwaddr.sa_family")] public ushort hwaddr_family;
    [CName("ifr_hwaddr.sa_data")] public fixed byte hwaddr_data[14];
    [CName(null)] public ulong rest;
}
