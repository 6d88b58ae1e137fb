using MirrorD.Daemon.Scratch;

namespace MirrorD.Daemon.Tests.Devices;

/// <summary>The run on a volume of no value.</summary>
public class ScratchRunTests
{
    [Fact]
    public async Task It_goes_through_and_leaves_nothing_behind()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(Path.Combine(directory.Root, "scratch-1"));

        ScratchOutcome outcome = await Within.Deadline(ScratchRun.Begin(directory.Root), "the run");

        Assert.Null(outcome.Problem);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.Root));
    }

    [Fact]
    public async Task Where_nothing_can_be_made_it_says_so()
    {
        ScratchOutcome outcome = await Within.Deadline(ScratchRun.Begin("/proc"), "the run");

        Assert.NotNull(outcome.Problem);
    }
}
