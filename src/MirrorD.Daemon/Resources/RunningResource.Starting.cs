using System.Diagnostics;
using MirrorD.Configuration;
using MirrorD.Daemon.Logging;
using MirrorD.Daemon.Snapshots;
using MirrorD.Daemon.Startup;
using MirrorD.Engine.Control;
using MirrorD.Engine.Replication;
using MirrorD.Io.Linux;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// Its start. A disk that is not there yet (iSCSI, late LVM), or that the kernel still holds for the requests of a daemon
/// that was killed, is tried again for as long as this daemon runs: programs wait in a block device for it.
/// </summary>
internal sealed partial class RunningResource
{
    private const string DiskRemedy =
        "mirrord tries again until it can; 'lsblk' shows the disks of this host, 'fuser -v' who has one open";

    private static readonly TimeSpan s_quickTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_quickTry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_slowTry = TimeSpan.FromSeconds(2);

    // As long as requests to a disk usually take to end, and a few times more.
    private static readonly TimeSpan s_quietlyBusy = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _startWanted = new();
    private Task _starting = Task.CompletedTask;

    private sealed record StartFailure(string State, string Problem, string Remedy, DateTimeOffset At);

    /// <summary>
    /// Removes addresses that an earlier daemon left behind, opens the disks and starts the loop; later, if a disk is not
    /// to be had yet. Never throws: what fails is shown.
    /// </summary>
    public void Start()
    {
        try
        {
            foreach (ServiceAddressConfiguration address in _addresses.RemoveLeftovers())
            {
                ResourceLog.LeftoverAddress(_logger, Name, address.ToString());
            }
        }
        catch (IOException failed)
        {
            Fail(failed.Message.TrimEnd('.'), "then restart mirrord");
            return;
        }

        if (TryStart() is { } missing)
        {
            Await(missing);
            bool isTold = !missing.IsBusy;
            if (isTold)
            {
                TellFailure();
            }

            _starting = Task.Run(() => KeepStarting(isTold));
        }

        _scheduledVerify = _resource.Replication.VerifySchedule is { } schedule
            ? new ScheduledVerify(
                schedule, TimeProvider.System, () => Command(new ResourceCommand.Verify(Scheduled: true)),
                reason => RaiseEvent("verify-skipped", $"{Name}: {reason}"))
            : null;
    }

    private VolumeSnapshots? Snapshots(IReadOnlyList<VolumeOptions> volumes) => !_resource.Replication.TakesSnapshots ? null
        : VolumeSnapshots.Of(_loop!, [.. volumes.Select(volume => volume.Data.Name)], ((IResourceOwner)this).Trouble);

    /// <summary>Starts, or shows why not.</summary>
    /// <returns>The disk that has to be waited for; null when that is of no use, or not needed.</returns>
    private DiskAwaitedException? TryStart()
    {
        try
        {
            IReadOnlyList<VolumeOptions> volumes = VolumeOpening.Open(
                _resource, _context.Name, new MetadataPlaces(_context.State.PlacesDirectory, ((IResourceOwner)this).Trouble));
            _loop = _context.Loops.Create();
            var log = new NbdEventLog(_logger, Name, () => _loop!.NowNs);
            var copies = new CopyExports(
                _loop, [.. volumes.Select(volume => _context.CopySocket(Name, volume.Name))], log.Add);
            _host = new ResourceHost(_loop, _arbiter, _hooks, _addresses, _devices, copies, _questions, this);
            _engine = new ReplicatedResource(_loop, Options(volumes) with { Snapshots = Snapshots(volumes) }, _host)
            {
                Loaded = Loaded,
                Watch = PeerWatch,
            };

            // What waited for the disk is over, and may fail in another way from here on.
            _failure = null;
            PeerWatch?.Add(_engine);
            _engine.Start();
            _thread = new Thread(RunLoop) { IsBackground = true, Name = $"loop {Name}" };
            _thread.Start();
        }
        catch (DiskAwaitedException missing)
        {
            return missing;
        }
        catch (StartupException failed)
        {
            Fail(failed.Problem, failed.Remedy);
        }
        catch (IOException failed)
        {
            Fail(failed.Message.TrimEnd('.'), "then restart mirrord");
        }

        return null;
    }

    private async Task KeepStarting(bool isTold)
    {
        var waited = Stopwatch.StartNew();
        CancellationToken wanted = _startWanted.Token;
        try
        {
            while (true)
            {
                await Task.Delay(waited.Elapsed < s_quickTime ? s_quickTry : s_slowTry, wanted);
                if (TryStart() is not { } missing)
                {
                    break;
                }

                Await(missing);
                if (!isTold && (!missing.IsBusy || waited.Elapsed > s_quietlyBusy))
                {
                    isTold = true;
                    TellFailure();
                }
            }

            if (isTold && _failure is null)
            {
                RaiseEvent("started-late", "The disks that were waited for are there, and the resource starts.");
            }
        }
        catch (OperationCanceledException)
        {
            // The daemon ends.
        }
        catch (Exception failed)
        {
            // Nobody else hears of it.
            Fail(failed.Message.TrimEnd('.'), "then restart mirrord");
        }
    }

    /// <summary>No start begins any more, nor a verify; ends when one that is under way has ended, or after a while.</summary>
    /// <returns>What is left of the while.</returns>
    private async Task<TimeSpan> EndStart(TimeSpan wait)
    {
        var waited = Stopwatch.StartNew();
        _scheduledVerify?.Dispose();
        await _startWanted.CancelAsync();
        await Task.WhenAny(_starting, Task.Delay(wait));
        TimeSpan left = wait - waited.Elapsed;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private void Await(DiskAwaitedException missing)
    {
        if (_failure?.Problem != missing.Message)
        {
            _failure = new StartFailure(
                "DiskAwaited", missing.Message, DiskRemedy, _failure?.At ?? DateTimeOffset.UtcNow);
            _changes.Changed();
        }
    }

    private void Fail(string problem, string remedy)
    {
        _failure = new StartFailure("StartFailed", problem, remedy, DateTimeOffset.UtcNow);
        TellFailure();
    }

    private void TellFailure()
    {
        if (_failure is { } failure)
        {
            ResourceLog.CannotStart(_logger, Name, failure.Problem, failure.Remedy);
            _events.Add(Name, "start-failed", $"{failure.Problem}; {failure.Remedy}.");
            _changes.Changed();
        }
    }
}
