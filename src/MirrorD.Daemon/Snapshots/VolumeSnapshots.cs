using System.Globalization;
using MirrorD.Engine.Control;
using MirrorD.Io;

namespace MirrorD.Daemon.Snapshots;

/// <summary>
/// Snapshots of the volumes of a resource. What the driver does runs in one task after the other, beside the loop.
/// </summary>
internal sealed class VolumeSnapshots : ISnapshots
{
    // The peer's requests are held meanwhile.
    private static readonly TimeSpan s_longestTake = TimeSpan.FromSeconds(10);

    private readonly IIoLoop _loop;
    private readonly ISnapshotDriver _driver;
    private readonly Action<Exception> _trouble;
    private readonly object _order = new();
    private Task _last = Task.CompletedTask;
    private long _takenAtTicks;

    private VolumeSnapshots(IIoLoop loop, ISnapshotDriver driver, Action<Exception> trouble)
    {
        _loop = loop;
        _driver = driver;
        _trouble = trouble;
        Next(() => { }, null);
    }

    /// <inheritdoc/>
    public DateTimeOffset? TakenAt =>
        Interlocked.Read(ref _takenAtTicks) is > 0 and var ticks ? new(ticks, TimeSpan.Zero) : null;

    /// <summary>Null where no driver knows all of the volumes.</summary>
    /// <param name="loop">Where answers go.</param>
    /// <param name="volumes">Paths of the volumes' disks.</param>
    /// <param name="trouble">Told of what went wrong when nobody waits for it.</param>
    /// <exception cref="IOException">A disk is not there.</exception>
    public static VolumeSnapshots? Of(IIoLoop loop, IReadOnlyList<string> volumes, Action<Exception> trouble)
    {
        ISnapshotDriver? driver = ReflinkSnapshots.Of(volumes);
        driver ??= ThinSnapshots.Of(volumes);
        return driver is null ? null : new VolumeSnapshots(loop, driver, trouble);
    }

    /// <inheritdoc/>
    public void Take(bool keeps, Action<string?> ended)
    {
        // Of the loop: that it was answered. Of the tasks: what comes too late is not to be found by anybody.
        bool isAnswered = false;
        var tooLate = new CancellationTokenSource();
        void Answer(string? problem) => _loop.Post(() =>
        {
            if (!isAnswered)
            {
                isAnswered = true;
                ended(problem);
            }
        });

        string? keptAs = keeps
            ? string.Create(CultureInfo.InvariantCulture, $"mirrord-discarded-{DateTime.UtcNow:yyyyMMdd'T'HHmmss'Z'}") : null;
        Task taking = Next(() => _driver.Create(keptAs, tooLate.Token), Answer);
        _ = Task.WhenAny(taking, Task.Delay(s_longestTake)).ContinueWith(
            first =>
            {
                if (first.Result != taking)
                {
                    tooLate.Cancel();
                    Answer(string.Create(
                        CultureInfo.InvariantCulture, $"it takes longer than {s_longestTake.TotalSeconds} s"));
                }
            },
            TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public void Restore(IReadOnlyList<long> dataBytes, Action<string?> ended) =>
        Next(() => _driver.CopyBack(dataBytes), problem => _loop.Post(() => ended(problem)));

    /// <inheritdoc/>
    public void Drop() => Next(_driver.Remove, null);

    private Task Next(Action work, Action<string?>? ended)
    {
        lock (_order)
        {
            return _last = _last.ContinueWith(
                _ =>
                {
                    string? problem = null;
                    try
                    {
                        work();
                    }
                    catch (Exception failed)
                    {
                        problem = failed.Message.TrimEnd('.');
                        if (ended is null || failed is not IOException)
                        {
                            _trouble(failed);
                        }
                    }

                    NoteTime();
                    ended?.Invoke(problem);
                },
                TaskScheduler.Default);
        }
    }

    private void NoteTime()
    {
        try
        {
            Interlocked.Exchange(ref _takenAtTicks, _driver.Find()?.UtcTicks ?? 0);
        }
        catch (IOException failed)
        {
            // Nobody goes back to what can't be found.
            Interlocked.Exchange(ref _takenAtTicks, 0);
            _trouble(failed);
        }
    }
}
