using System.Diagnostics;
using MirrorD.Engine.Control;
using MirrorD.Io.Linux;

namespace MirrorD.Daemon.Scratch;

/// <summary>
/// Runs the whole path of reads and writes once on a volume of no value, before a block device is served: so that nothing is
/// made ready, and no memory touched for the first time, while a file system waits for its writeback. Two nodes in this
/// process, joined, parted and joined again, with every kind of request.
/// </summary>
internal static class ScratchRun
{
    /// <summary>Runs it on threads of its own.</summary>
    /// <param name="directory">Where its files are made, and removed; on a disk, not in memory.</param>
    /// <param name="loops">Makes its loop.</param>
    /// <returns>What came of it: how long it took, or what is wrong.</returns>
    public static Task<ScratchOutcome> Begin(string directory, LoopFactory loops) => Task.Factory.StartNew(
        () => Run(directory, loops), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static ScratchOutcome Run(string directory, LoopFactory loops)
    {
        long start = Stopwatch.GetTimestamp();
        string own = Path.Combine(directory, $"scratch-{Environment.ProcessId}");
        try
        {
            RemoveEarlier(directory);
            Directory.CreateDirectory(own);
            using var pair = new ScratchPair(own, loops);
            Use(pair);
            return new ScratchOutcome(null, Stopwatch.GetElapsedTime(start));
        }
        catch (Exception failed) when (failed is IOException or TimeoutException or UnauthorizedAccessException)
        {
            return new ScratchOutcome(failed.Message.TrimEnd('.'), Stopwatch.GetElapsedTime(start));
        }
        finally
        {
            Remove(own);
        }
    }

    private static void Use(ScratchPair pair)
    {
        pair.StartB();
        pair.StartA();
        pair.WaitJoined();
        pair.Do(new ResourceCommand.Promote(false));
        using (var client = new ScratchClient(pair.Serve()))
        {
            client.UseEverything();
            pair.StopB();
            client.UseEverything();
            pair.StartB();
            pair.WaitJoined();
            client.UseEverything();
        }

        pair.Do(new ResourceCommand.Demote());
    }

    /// <summary>What a daemon that was killed in the middle left.</summary>
    private static void RemoveEarlier(string directory)
    {
        foreach (string left in Directory.EnumerateDirectories(directory, "scratch-*"))
        {
            Remove(left);
        }
    }

    private static void Remove(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (IOException)
        {
            // It is removed at the next start.
        }
    }
}
