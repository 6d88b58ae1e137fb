namespace MirrorD.Io.Linux.Interop;

/// <summary>linux/falloc.h: modes of fallocate(2).</summary>
[CHeader("linux/falloc.h")]
internal static class Falloc
{
    public const int FALLOC_FL_KEEP_SIZE = 0x01;
    public const int FALLOC_FL_PUNCH_HOLE = 0x02;
    public const int FALLOC_FL_ZERO_RANGE = 0x10;
}
