using System.Globalization;
using MirrorD.Lab;
using MirrorD.Lab.Pairs;
using Xunit.Abstractions;

namespace MirrorD.Hosts.Tests;

/// <summary>What of the program is in memory, by the kernel's account of its mappings (proc(5), smaps).</summary>
public sealed class ProgramPagesTests(ITestOutputHelper output) : PairTest
{
    /// <summary>Nothing of it need be read from a disk later, and nothing of it is given back: the pages are locked.</summary>
    [HostTheory]
    [InlineData("mirrord")]
    [InlineData("libc.so.6")]
    [InlineData("libcrypto.so.3")]
    public void A_daemon_that_has_started_has_its_program_in_memory(string file)
    {
        Pair pair = StartPair(new PairOptions());
        (long size, long resident, bool isLocked) = (0, 0, false);
        Wait.For($"{file} in memory", TimeSpan.FromSeconds(30), () =>
        {
            (size, resident, isLocked) = Mapped(pair.A.Daemon.Id, file);
            return size > 0 && resident == size && isLocked;
        }, () => $"{size} KiB, of them {resident} in memory, all locked: {isLocked}");
        output.WriteLine($"{file}: {size} KiB");
    }

    /// <summary>KiB of a file's mappings for reading, and whether each of them is locked.</summary>
    private static (long Size, long Resident, bool IsLocked) Mapped(int process, string file)
    {
        (long size, long resident, bool isLocked, bool isIts) = (0, 0, true, false);
        foreach (string line in File.ReadLines($"/proc/{process}/smaps"))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!words[0].EndsWith(':'))
            {
                isIts = words[1].StartsWith('r') && Path.GetFileName(words[^1]) == file;
            }
            else if (isIts)
            {
                size += words[0] == "Size:" ? Number(words[1]) : 0;
                resident += words[0] == "Rss:" ? Number(words[1]) : 0;
                isLocked &= words[0] != "VmFlags:" || words.Contains("lo");
            }
        }

        return (size, resident, isLocked);
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
