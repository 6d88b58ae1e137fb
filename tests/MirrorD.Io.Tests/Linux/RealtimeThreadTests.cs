using System.Diagnostics;
using System.Globalization;
using MirrorD.Io.Linux.Memory;

namespace MirrorD.Io.Tests.Linux;

public sealed class RealtimeThreadTests
{
    // chrt(1) is asked as a witness, also whether this system lets anybody have such a priority.
    [Fact]
    public void Only_the_thread_that_is_raised_gets_the_lowest_real_time_priority()
    {
        using var allowed = Process.Start("chrt", ["--rr", "1", "true"]);
        allowed.WaitForExit();
        string? refusal = null;
        string kept = "";
        bool isRaised = false;
        (string thread, string other, string child, string after) = ("", Policy(RealtimeThread.Current), "", "");
        var asking = new Thread(() =>
        {
            refusal = RealtimeThread.Raise(RealtimeThread.Current);
            thread = Policy(RealtimeThread.Current);
            isRaised = RealtimeThread.IsRaised(RealtimeThread.Current);
            child = Command.Run("sh", "-c", "chrt --pid $$");
            _ = RealtimeThread.Lower(RealtimeThread.Current);
            after = Policy(RealtimeThread.Current);
            _ = RealtimeThread.Keep();
            kept = Policy(RealtimeThread.Current);
            isRaised &= !RealtimeThread.IsRaised(RealtimeThread.Current);
        });
        asking.Start();
        asking.Join();

        if (allowed.ExitCode != 0)
        {
            Assert.Contains("no real-time priority", refusal, StringComparison.Ordinal);
            return;
        }

        Assert.Null(refusal);
        Assert.Contains("SCHED_RR", thread, StringComparison.Ordinal);
        Assert.Contains("priority: 1", thread, StringComparison.Ordinal);
        Assert.Equal(other, Policy(RealtimeThread.Current));
        Assert.Contains("SCHED_OTHER", after, StringComparison.Ordinal);
        Assert.Contains("SCHED_OTHER", child, StringComparison.Ordinal);
        Assert.Contains("priority: 2", kept, StringComparison.Ordinal);
        Assert.True(isRaised);
    }

    private static string Policy(int thread) =>
        Command.Run("chrt", "--pid", thread.ToString(CultureInfo.InvariantCulture));
}
