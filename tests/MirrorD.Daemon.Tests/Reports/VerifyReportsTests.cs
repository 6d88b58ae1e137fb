using MirrorD.Api;
using MirrorD.Daemon.Reports;

namespace MirrorD.Daemon.Tests.Reports;

/// <summary>What is said of a verify.</summary>
public class VerifyReportsTests
{
    private static readonly VerifyReport s_equal = new()
    {
        Node = "a",
        TotalBytes = 4096,
        ComparedBytes = 4096,
        DifferentBytes = 0,
        UnreadableBytes = 0,
        RepairedBytes = 0,
        Findings = [],
        StartedAt = DateTimeOffset.UnixEpoch,
        EndedAt = new DateTimeOffset(2026, 11, 22, 2, 30, 0, TimeSpan.Zero),
    };

    [Fact]
    public void Of_equal_copies_that_they_are_equal() => Assert.Equal(
        "The last verify ended 2026-11-22 02:30:00Z: 4096 bytes compared by a, all of it equal.",
        VerifyReports.InWords(s_equal));

    [Fact]
    public void Of_a_running_one_how_far_it_is() => Assert.Equal(
        "A verify compares both copies: 1024 of 4096 bytes so far, all of it equal.",
        VerifyReports.InWords(s_equal with { EndedAt = null, ComparedBytes = 1024 }));

    [Fact]
    public void Of_a_difference_whose_copy_a_repair_would_take_and_why()
    {
        string words = VerifyReports.InWords(s_equal with { DifferentBytes = 2048, UnreadableBytes = 512, RepairedBytes = 512 });
        Assert.Contains("2048 bytes in ranges that differ, 512 in ranges that can't be read, 512 of them repaired", words);
        Assert.EndsWith(
            "'mirrorctl verify --repair' would copy it from a, which compared: the Primary's copy counts, and without one that of "
            + "the source of the last join.",
            words);
    }

    [Fact]
    public void Of_one_that_ended_early_why() => Assert.EndsWith(
        "all of it equal. It ended early: the link was lost.",
        VerifyReports.InWords(s_equal with { EndedEarly = "the link was lost", ComparedBytes = 1024 }));

    [Fact]
    public void What_is_repaired_needs_no_repair() => Assert.DoesNotContain(
        "--repair", VerifyReports.InWords(s_equal with { DifferentBytes = 2048, RepairedBytes = 2048 }));
}
