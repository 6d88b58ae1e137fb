using Microsoft.Win32.SafeHandles;

namespace MirrorD.Io.Linux.Disks;

/// <summary>Copies between block devices or files that nobody else uses meanwhile.</summary>
public static class BlockCopy
{
    private const int PieceBytes = 1 << 20;

    /// <summary>Brings what was written to stable storage.</summary>
    /// <exception cref="IOException">It can't be done.</exception>
    public static void Flush(string path)
    {
        using SafeFileHandle file = Open(path, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>Makes the first bytes of one those of another, durably; what is equal is not written.</summary>
    /// <param name="source">At least as long.</param>
    /// <param name="path">Is not made longer.</param>
    /// <param name="lengthBytes">How many.</param>
    /// <exception cref="IOException">It can't be read or written.</exception>
    public static void CopyDifferences(string source, string path, long lengthBytes)
    {
        using SafeFileHandle from = Open(source, FileAccess.Read);
        using SafeFileHandle to = Open(path, FileAccess.ReadWrite);
        byte[] wanted = new byte[PieceBytes];
        byte[] found = new byte[PieceBytes];
        for (long offset = 0; offset < lengthBytes; offset += PieceBytes)
        {
            int length = (int)Math.Min(PieceBytes, lengthBytes - offset);
            ReadWhole(from, source, wanted.AsSpan(0, length), offset);
            ReadWhole(to, path, found.AsSpan(0, length), offset);
            if (!wanted.AsSpan(0, length).SequenceEqual(found.AsSpan(0, length)))
            {
                RandomAccess.Write(to, wanted.AsSpan(0, length), offset);
            }
        }

        RandomAccess.FlushToDisk(to);
    }

    private static void ReadWhole(SafeFileHandle file, string path, Span<byte> into, long offset)
    {
        while (!into.IsEmpty)
        {
            int read = RandomAccess.Read(file, into, offset);
            if (read <= 0)
            {
                throw new IOException($"{path} ends at byte {offset}, before what is to be copied");
            }

            into = into[read..];
            offset += read;
        }
    }

    private static SafeFileHandle Open(string path, FileAccess access)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException(refused.Message, refused);
        }
    }
}
