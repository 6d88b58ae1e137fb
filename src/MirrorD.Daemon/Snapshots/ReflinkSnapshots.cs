using System.Globalization;
using MirrorD.Engine.Control;
using MirrorD.Io;
using MirrorD.Io.Linux.Disks;

namespace MirrorD.Daemon.Snapshots;

/// <summary>
/// Snapshots of volumes that are files on file systems where files can share blocks (xfs, btrfs): beside each volume's file,
/// under its name with an ending. Everything but what is asked by other threads runs in one task after the other.
/// </summary>
internal sealed class ReflinkSnapshots : ISnapshots
{
    /// <summary>Ending of the one from before a resync.</summary>
    public const string Ending = ".mirrord-snapshot";

    // While it is made: only when it is there for all volumes it gets its name.
    private const string Unfinished = ".new";

    // The peer's requests are held meanwhile.
    private static readonly TimeSpan s_longestTake = TimeSpan.FromSeconds(10);

    private readonly IIoLoop _loop;
    private readonly IReadOnlyList<string> _volumes;
    private readonly Action<Exception> _trouble;
    private readonly object _order = new();
    private Task _last = Task.CompletedTask;
    private long _takenAtTicks;

    private ReflinkSnapshots(IIoLoop loop, IReadOnlyList<string> volumes, Action<Exception> trouble)
    {
        _loop = loop;
        _volumes = volumes;
        _trouble = trouble;
        NoteTime();
    }

    /// <inheritdoc/>
    public DateTimeOffset? TakenAt => Interlocked.Read(ref _takenAtTicks) is > 0 and var ticks ? new(ticks, TimeSpan.Zero) : null;

    /// <summary>Null where one of the volumes is no file, or its file system can't share blocks.</summary>
    /// <param name="loop">Where answers go.</param>
    /// <param name="volumes">Paths of the volumes' disks.</param>
    /// <param name="trouble">Told of what went wrong when nobody waits for it.</param>
    public static ReflinkSnapshots? Of(
        IIoLoop loop, IReadOnlyList<string> volumes, Action<Exception> trouble)
    {
        // Beside the file itself, not beside a link to it: only there blocks can be shared.
        string[] files = [.. volumes.Select(path => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path)];
        return Array.TrueForAll(files, FileClone.MayShare) ? new ReflinkSnapshots(loop, files, trouble) : null;
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

        Task taking = Next(() => Take(keeps ? KeptEnding() : Ending, tooLate.Token), Answer);
        _ = Task.WhenAny(taking, Task.Delay(s_longestTake)).ContinueWith(
            first =>
            {
                if (first.Result != taking)
                {
                    tooLate.Cancel();
                    Answer(string.Create(CultureInfo.InvariantCulture, $"it takes longer than {s_longestTake.TotalSeconds} s"));
                }
            },
            TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public void Restore(IReadOnlyList<long> dataBytes, Action<string?> ended) => Next(
        () =>
        {
            for (int i = 0; i < _volumes.Count; i++)
            {
                FileClone.CopyRange(_volumes[i], _volumes[i] + Ending, dataBytes[i]);
            }
        },
        problem => _loop.Post(() => ended(problem)));

    /// <inheritdoc/>
    public void Drop() => Next(() => Remove(Ending), null);

    private static string KeptEnding() =>
        string.Create(CultureInfo.InvariantCulture, $".mirrord-discarded-{DateTime.UtcNow:yyyyMMdd'T'HHmmss'Z'}");

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

    private void Take(string ending, CancellationToken tooLate)
    {
        Remove(Ending);
        foreach (IGrouping<string, string> directory in _volumes.GroupBy(path => Path.GetDirectoryName(path)!))
        {
            // A shared block that is written needs another one: without this much room writes could fail that would not have.
            long most = directory.Sum(FileClone.AllocatedBytes);
            long free = new DriveInfo(directory.Key).AvailableFreeSpace;
            if (free < most)
            {
                throw new IOException(string.Create(CultureInfo.InvariantCulture,
                    $"writes to shared blocks may need {most} bytes more in {directory.Key}, and {free} are free"));
            }
        }

        try
        {
            foreach (string path in _volumes)
            {
                FileClone.Create(path + Ending + Unfinished, path);
            }

            foreach (string path in _volumes)
            {
                if (tooLate.IsCancellationRequested)
                {
                    throw new IOException("it came too late");
                }

                FileClone.Rename(path + Ending + Unfinished, path + ending);
            }
        }
        catch (IOException)
        {
            Remove(Ending);
            throw;
        }
    }

    private void Remove(string ending)
    {
        foreach (string path in _volumes)
        {
            File.Delete(path + ending);
            File.Delete(path + ending + Unfinished);
        }
    }

    /// <summary>There is one only where all volumes have it: one that was interrupted counts for nothing.</summary>
    private void NoteTime()
    {
        FileInfo[] files = [.. _volumes.Select(path => new FileInfo(path + Ending))];
        Interlocked.Exchange(ref _takenAtTicks,
            Array.TrueForAll(files, file => file.Exists) ? files.Min(file => file.LastWriteTimeUtc.Ticks) : 0);
    }
}
