using System.Diagnostics;

namespace MirrorD.Daemon.Tests;

/// <summary>Waits for something with a deadline, and says what was waited for.</summary>
internal static class Within
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    public static async Task<T> Deadline<T>(Task<T> task, string what)
    {
        await Deadline((Task)task, what);
        return await task;
    }

    public static async Task Deadline(Task task, string what)
    {
        try
        {
            await task.WaitAsync(s_deadline);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Waited {s_deadline.TotalSeconds} s in vain for: {what}");
        }
    }

    /// <summary>Asks again and again, yielding in between, until the condition holds.</summary>
    public static async Task Until(Func<Task<bool>> holds, string what)
    {
        long start = Stopwatch.GetTimestamp();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(start) > s_deadline)
            {
                throw new TimeoutException($"Waited {s_deadline.TotalSeconds} s in vain for: {what}");
            }

            await pause.WaitForNextTickAsync();
        }
    }
}
