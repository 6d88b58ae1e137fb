using System.Diagnostics;

namespace MirrorD.Lab;

/// <summary>Waiting for a described condition; the only place that pauses.</summary>
public static class Wait
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Called with each description before it is waited for; a test or the demo shows it.</summary>
    public static Action<string>? Announce { get; set; }

    /// <summary>Polls until the condition holds.</summary>
    /// <param name="description">What is waited for, as the end of "waited … s for".</param>
    /// <param name="deadline">How long at most.</param>
    /// <param name="condition">An exception in it is a failure at once.</param>
    /// <param name="picture">Shows the state when the deadline passes.</param>
    /// <exception cref="TimeoutException">The deadline passed.</exception>
    public static void For(
        string description, TimeSpan deadline, Func<bool> condition, Func<string>? picture = null)
    {
        Announce?.Invoke(description);
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > deadline)
            {
                string state = picture is null ? "" : $"\n{picture()}";
                throw new TimeoutException(
                    $"waited {deadline.TotalSeconds:0.#} s for: {description}{state}");
            }

            Thread.Sleep(Pause);
        }
    }

    /// <summary>As the other overload, with a deadline in seconds.</summary>
    public static void For(
        string description, double seconds, Func<bool> condition, Func<string>? picture = null) =>
        For(description, TimeSpan.FromSeconds(seconds), condition, picture);

    /// <summary>Watches that something stays true for a time: for what must not happen.</summary>
    /// <exception cref="InvalidOperationException">The condition ceased to hold.</exception>
    public static void While(
        string description, double seconds, Func<bool> condition, Func<string>? picture = null)
    {
        Announce?.Invoke(description);
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            if (!condition())
            {
                string state = picture is null ? "" : $"\n{picture()}";
                throw new InvalidOperationException(
                    $"after {clock.Elapsed.TotalSeconds:0.0} s no longer true: {description}{state}");
            }

            Thread.Sleep(Pause);
        }
    }
}
