using System.Globalization;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Memory;

/// <summary>Files that are mapped into this process, as its program and libraries are (/proc/self/maps, proc(5)).</summary>
public static unsafe class MappedFiles
{
    private const string Maps = "/proc/self/maps";

    /// <summary>
    /// Reads in what is mapped for reading of some files, so that it need not be waited for later. With
    /// <see cref="MemoryLock"/> it stays. Linux 5.14; an older one reads nothing in.
    /// </summary>
    /// <param name="isNeeded">Whether a file, by its path, is one of them.</param>
    /// <returns>Bytes that are in memory now.</returns>
    public static long ReadIn(Predicate<string> isNeeded)
    {
        long bytes = 0;
        foreach (string line in File.ReadAllLines(Maps))
        {
            // 7f0c1a000000-7f0c1a021000 r-xp 00002000 fe:00 1311 /usr/lib/…: up to five blanks, the path may have more.
            string[] fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 6 || !fields[5].StartsWith('/') || fields[1] is not ['r', '-', ..] || !isNeeded(fields[5]))
            {
                continue;
            }

            string[] ends = fields[0].Split('-');
            nuint begin = nuint.Parse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            nuint length = nuint.Parse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) - begin;
            if (Mman.madvise((void*)begin, length, Mman.MADV_POPULATE_READ) == 0)
            {
                bytes += (long)length;
            }
        }

        return bytes;
    }
}
