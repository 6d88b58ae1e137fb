using MirrorD.Daemon.Scratch;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Tests.Devices;

/// <summary>The run on a volume of no value.</summary>
[Collection(Collection)]
public class ScratchRunTests
{
    /// <summary>Whole daemons in this process make such runs, too; here threads of that name are counted.</summary>
    public const string Collection = "runs on scratch volumes";

    [Theory]
    [InlineData(LoopKind.Uring)]
    [InlineData(LoopKind.Epoll)]
    public async Task It_goes_through_and_leaves_nothing_behind(LoopKind kind)
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(Path.Combine(directory.Root, "scratch-1"));

        ScratchOutcome outcome = await Within.Deadline(
            ScratchRun.Begin(directory.Root, LoopFactory.Of(kind)), "the run");

        Assert.Null(outcome.Problem);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.Root));
    }

    [Fact]
    public async Task Where_nothing_can_be_made_it_says_so()
    {
        ScratchOutcome outcome = await Within.Deadline(ScratchRun.Begin("/proc", LoopFactory.Of(LoopKind.Uring)), "the run");

        Assert.NotNull(outcome.Problem);
    }

    [Fact]
    public async Task A_pair_that_can_not_be_made_leaves_no_thread_and_no_open_file()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory.At("b-data"));

        Assert.ThrowsAny<IOException>(() => new ScratchPair(directory.Root, LoopFactory.Of(LoopKind.Uring)));

        // Who joins a thread goes on when its code has ended; the kernel's part of it may take an instant longer.
        await Within.Until(
            () => Task.FromResult(
                !Directory.EnumerateDirectories("/proc/self/task").Select(ThreadName).Contains("scratch")),
            "the thread to end");
        LinuxDisk.Open(directory.At("a-data"), isWritable: true, isExclusive: true).Close();
    }

    [Fact]
    public void Its_client_is_the_only_one_that_closes_the_socket()
    {
        using StreamPair pair = StreamPair.Open();
        using var client = new ScratchClient(pair);

        Assert.True(pair.KernelEnd.IsClosed, "a second owner would close a number that is another file's by then");
    }

    private static string? ThreadName(string directory)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, "comm")).TrimEnd('\n');
        }
        catch (IOException)
        {
            // It has ended.
            return null;
        }
    }
}
