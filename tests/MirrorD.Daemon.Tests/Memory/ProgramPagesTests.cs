using System.Globalization;
using MirrorD.Daemon.Memory;

namespace MirrorD.Daemon.Tests.Memory;

public sealed class ProgramPagesTests
{
    [Theory]
    [InlineData("MirrorD.Core.dll")]
    [InlineData("System.Private.CoreLib.dll")]
    [InlineData("libcoreclr.so")]
    public void What_loops_may_run_is_in_memory(string file)
    {
        Assert.Null(ProgramPages.TakeAll());
        (long size, long resident) = CodeOf(file);
        Assert.InRange(resident, Math.Max(4, size * 9 / 10), size);
    }

    /// <summary>KiB of the mappings for reading, by the kernel's account.</summary>
    private static (long Size, long Resident) CodeOf(string file)
    {
        (long size, long resident, bool isRead) = (0, 0, false);
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            isRead = words[0].EndsWith(':') ? isRead : words[1].StartsWith('r') && line.EndsWith($"/{file}", StringComparison.Ordinal);
            size += isRead && words[0] == "Size:" ? Number(words[1]) : 0;
            resident += isRead && words[0] == "Rss:" ? Number(words[1]) : 0;
        }

        return (size, resident);
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
