using MirrorD.Configuration;
using MirrorD.Daemon.Logging;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Resources;

/// <summary>Its end: for good, or for the next daemon.</summary>
internal sealed partial class RunningResource
{
    private static readonly TimeSpan s_releaseWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_deviceWait = TimeSpan.FromSeconds(5);

    /// <summary>What <see cref="Stop"/> takes at most beyond its limit: devices, then addresses.</summary>
    public static TimeSpan AfterStopWait => s_deviceWait + s_releaseWait;

    /// <summary>Planned stop; ends when the resource stopped or <paramref name="wait"/> has passed.</summary>
    /// <param name="hostStops">The host shuts down, and this daemon is not stopped by itself.</param>
    /// <param name="wait">Limit.</param>
    public async Task Stop(bool hostStops, TimeSpan wait)
    {
        wait = await EndStart(wait);
        if (_failure is not null)
        {
            await TakeDevicesAway();
            return;
        }

        bool handsOver = (_resource.OnStop ?? (hostStops ? OnStop.Switchover : OnStop.Stop)) == OnStop.Switchover;
        Task<CommandOutcome> stopping = Command(new ResourceCommand.Stop(handsOver));
        bool isStopped = await Task.WhenAny(stopping, Task.Delay(wait)) == stopping;
        if (isStopped)
        {
            ResourceLog.Stopped(_logger, Name, (await stopping).Message);
        }
        else
        {
            ResourceLog.StopTimedOut(_logger, Name, wait.TotalSeconds);
        }

        if (isStopped || _engine!.Status.Role != Role.Primary)
        {
            await TakeDevicesAway();
        }
        else
        {
            await Task.WhenAny(_devices.FailWithoutServer(), Task.Delay(s_releaseWait));
        }

        PeerWatch?.Remove(_engine!);
        _loop!.Stop();

        // Those of a stop that came to no end must not outlive the process either.
        await Task.WhenAny(_addresses.Release(), Task.Delay(s_releaseWait));
    }

    /// <summary>
    /// The daemon restarts: what clients asked for is answered, and nothing more is taken up. Role and block devices stay
    /// for the next daemon, as they do when this one crashes. <see cref="StopLoop"/> follows.
    /// </summary>
    public async Task Finish(TimeSpan wait)
    {
        wait = await EndStart(wait);
        if (_failure is not null)
        {
            return;
        }

        var finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop!.Post(() =>
        {
            _devices.Leave();
            if (_exports is { } exports)
            {
                exports.Finish("mirrord restarts", finished.SetResult);
            }
            else
            {
                finished.SetResult();
            }
        });
        if (await Task.WhenAny(finished.Task, Task.Delay(wait)) != finished.Task)
        {
            ResourceLog.RequestsLeft(_logger, Name, wait.TotalSeconds);
        }
    }

    /// <summary>Nothing moves any more; only before the end of the process.</summary>
    public void StopLoop() => _loop?.Stop();

    /// <summary>The process ends at once: addresses must not outlive it.</summary>
    public Task ReleaseAddresses() => _addresses.Release();

    /// <summary>
    /// Takes away what an earlier daemon left while it was Primary, and nobody has resumed: what waits there would wait
    /// for a daemon that does not come. This one serves no device any more.
    /// </summary>
    private async Task TakeDevicesAway()
    {
        async Task TellAndClose()
        {
            await TellDevicesGo();
            await _devices.Close();
        }

        Task gone = TellAndClose();
        if (await Task.WhenAny(gone, Task.Delay(s_deviceWait)) != gone)
        {
            RaiseEvent("device-failed", "The block devices could not be taken away before the stop.");
        }
    }

    private async Task TellDevicesGo()
    {
        try
        {
            IReadOnlyList<string> users = await _devices.Users();
            if (users.Count > 0)
            {
                RaiseEvent("device-removed",
                    "mirrord stops, and nobody serves on what an earlier one left, so that it is taken away and what "
                    + $"waits there fails: {string.Join("; ", users)}.");
            }
        }
        catch (IOException failed)
        {
            RaiseEvent("device-failed", $"The users of the block devices can't be told: {failed.Message.TrimEnd('.')}.");
        }
    }
}
