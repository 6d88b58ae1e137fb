using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>linux/filter.h: programs of the classic packet filter, run by the kernel for each packet.</summary>
[CHeader("linux/filter.h")]
internal static class Filter
{
    public const ushort BPF_LD = 0x00;
    public const ushort BPF_JMP = 0x05;
    public const ushort BPF_RET = 0x06;
    public const ushort BPF_W = 0x00;
    public const ushort BPF_H = 0x08;
    public const ushort BPF_B = 0x10;
    public const ushort BPF_ABS = 0x20;
    public const ushort BPF_JEQ = 0x10;
    public const ushort BPF_K = 0x00;

    /// <summary>Offsets from here are into the IP header.</summary>
    public const int SKF_NET_OFF = -0x100000;
}

[CHeader("linux/filter.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct sock_filter
{
    public ushort code;
    public byte jt;
    public byte jf;
    public uint k;
}

[CHeader("linux/filter.h")]
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sock_fprog
{
    public ushort len;
    public sock_filter* filter;
}
