using System.Diagnostics;
using MirrorD.Engine;
using MirrorD.Formats.Nbd;
using MirrorD.Io;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Devices;

/// <summary>
/// A device of the kernel's nbd driver. Its backend names the volume: by it a restarted daemon finds the device again,
/// whose requests have waited, and the udev rule makes its link. One connection only: with more the kernel would send
/// requests of a slow one again.
/// </summary>
/// <param name="backend">Names the volume on this host.</param>
/// <param name="volume">What is served, once it is open.</param>
/// <param name="kernel">The driver.</param>
/// <param name="loop">The volume's loop, once it runs.</param>
/// <param name="isRequired">Without the driver it fails; else there simply is no device.</param>
/// <param name="serve">Serves a connection on the loop; calls back when nothing of it is left.</param>
/// <param name="lost">Called when the connection ended though the device is wanted.</param>
internal sealed class NbdVolumeDevice(
    string backend, Func<IVolumeFrontend> volume, KernelNbd kernel, Func<LinuxLoop> loop, bool isRequired,
    Action<IConnection, Action> serve, Action lost) : IVolumeDevice
{
    // Reads are answered as a whole up to this, so that an error in them is told and does not end the connection.
    private const int MaxRequestKiB = 1024;

    // With its user gone from the mount or not: long enough for a daemon that is being restarted by hand.
    private const long WithoutServerSeconds = 30;

    private const NbdTransmissionFlags Flags = NbdTransmissionFlags.HasFlags | NbdTransmissionFlags.SendFlush
        | NbdTransmissionFlags.SendFua | NbdTransmissionFlags.SendWriteZeroes;

    private static readonly NbdQueueSettings s_queue = new() { MaxRequestKiB = MaxRequestKiB };

    private static readonly TimeSpan s_oldLinkPause = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _turn = new(1);
    private volatile string? _path;

    // The connection that serves the device, and the kernel's name of that; null when none does.
    private volatile Served? _served;
    private volatile string? _device;

    public string? Path => _path;

    /// <summary>How long the kernel has to notice that an earlier daemon is dead, before another one is believed in.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    public async Task Attach(CancellationToken wanted)
    {
        await _turn.WaitAsync(wanted);
        try
        {
            if (_served is { } served)
            {
                // Another attempt was quicker. The kernel would not take a second connection beside its own.
                served.Wanted = wanted;
                return;
            }

            (_path, _device) = (null, null);
            if (!isRequired && await kernel.PrepareAgain() is not null && await kernel.DriverOf(backend) is null)
            {
                // Told when the daemon started. It may be there for the next role.
                return;
            }

            INbdDriver driver = await kernel.Driver();
            await kernel.Readied().WaitAsync(wanted);
            int? left = await Reattach(driver, wanted);
            int index = left ?? await Make(driver, wanted);
            _device = NbdDevice.PathOf(index);

            // Also of one that is left: its daemon may have died before. Then udev, which sets the scheduler: the kernel
            // makes one setting of a queue at a time, and this one may take long.
            kernel.Warn(driver.Apply(s_queue, index));
            _path = await kernel.Link(backend, index, isNew: left is null, wanted);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task Grow()
    {
        await _turn.WaitAsync();
        try
        {
            if (_served is not null && await kernel.DriverOf(backend) is { } driver)
            {
                foreach (NbdDevice device in Ours(driver).Where(device => device.DevicePath == _device))
                {
                    GrowTo(driver, device, volume().LengthBytes);
                }
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task Detach()
    {
        _path = null;
        if (await kernel.DriverOf(backend) is not { } driver)
        {
            return;
        }

        // Whoever has the turn may wait in the kernel for requests that nobody answers any more: the end of the device
        // ends that. So it is not waited for before.
        var waited = Stopwatch.StartNew();
        do
        {
            await Disconnect(driver);
        }
        while (!await _turn.WaitAsync(s_oldLinkPause));
        try
        {
            while (await Disconnect(driver) is { } alive)
            {
                if (waited.Elapsed > Patience)
                {
                    kernel.Warn(
                        [$"{alive} ({backend}) is served by another process, and left alone: is there a second mirrord?"]);
                    break;
                }

                await Task.Delay(s_oldLinkPause);
            }

            (_path, _device, _served) = (null, null, null);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task<IReadOnlyList<string>> Users()
    {
        if (await kernel.DriverOf(backend) is not { } driver)
        {
            return [];
        }

        var users = new List<string>();
        string? served = _device;
        foreach (string device in Ours(driver).Select(device => device.DevicePath))
        {
            if (served is not null && served != device)
            {
                // Taken away in an earlier role while somebody had it open: its users have heard of its end.
                continue;
            }

            try
            {
                string name = (served is null ? null : _path) ?? device;
                IReadOnlyList<string> uses = driver.UsersOf(device);
                if (uses.Count == 0 && served is not null)
                {
                    // Of one that is dead they hinder nobody: what they have not written yet is lost already.
                    uses = driver.UnseenUsersOf(device);
                }

                users.AddRange(uses.Select(use => $"{name} is {use}"));
            }
            catch (IOException)
            {
                // It is gone.
            }
        }

        return users;
    }

    public async Task FailWithoutServer()
    {
        if (await kernel.DriverOf(backend) is not { } driver)
        {
            return;
        }

        foreach (NbdDevice device in Ours(driver))
        {
            _ = TrySetTimeout(driver, device, WithoutServerSeconds);
        }
    }

    /// <summary>Goes on with the device that an earlier connection left.</summary>
    /// <returns>Its number; null when there is none.</returns>
    private async Task<int?> Reattach(INbdDriver driver, CancellationToken wanted)
    {
        while (true)
        {
            bool isOneLeft = false;
            foreach (NbdDevice left in await Task.Run(() => Ours(driver)))
            {
                // What was taken away while somebody had it open keeps its backend, and is none any more.
                // An earlier daemon may have shortened how long it waits (FailWithoutServer).
                if (!TrySetTimeout(driver, left, NbdDeviceOptions.ForeverSeconds))
                {
                    continue;
                }

                isOneLeft = true;
                if (left.SizeBytes > volume().LengthBytes)
                {
                    throw new IOException(
                        $"{left.DevicePath} is left from an earlier run with {left.SizeBytes} bytes, and the volume has "
                        + $"{volume().LengthBytes}: end its use, then 'mirrorctl demote {Resource}' takes it away, and "
                        + $"'mirrorctl promote {Resource}' makes another one");
                }

                using StreamPair next = StreamPair.Open();
                if (driver.Reconfigure(left.Index, backend, next))
                {
                    await Serve(next, wanted);

                    // The volume may have grown, and its daemon ended before the device did.
                    GrowTo(driver, left, volume().LengthBytes);
                    return left.Index;
                }
            }

            if (!isOneLeft)
            {
                return null;
            }

            // The kernel has not yet seen that the earlier connection is dead.
            await Task.Delay(s_oldLinkPause, wanted);
        }
    }

    private async Task<int> Make(INbdDriver driver, CancellationToken wanted)
    {
        using StreamPair pair = StreamPair.Open();
        await Serve(pair, wanted);
        try
        {
            return driver.Connect(Options(), pair);
        }
        catch
        {
            // The end of a connection that the kernel never took is no loss.
            _served = null;
            throw;
        }
    }

    /// <summary>Ends what this daemon served, and what nobody serves.</summary>
    /// <returns>A device that somebody serves, as far as the kernel knows; null when none is left.</returns>
    private async Task<string?> Disconnect(INbdDriver driver)
    {
        string? alive = null;
        foreach (NbdDevice device in Ours(driver))
        {
            if (device.DevicePath == _device || await IsServedByNobody(driver, device))
            {
                driver.Disconnect(device.Index);
                kernel.TellChange(device.Index);
            }
            else
            {
                alive = device.DevicePath;
            }
        }

        return alive;
    }

    private static async Task<bool> IsServedByNobody(INbdDriver driver, NbdDevice device)
    {
        try
        {
            return await KernelNbd.IsServedByNobody(driver, device);
        }
        catch (IOException failed) when (failed.HResult == Errno.EINVAL)
        {
            // It was taken away while somebody had it open.
            return true;
        }
    }

    private void GrowTo(INbdDriver driver, NbdDevice device, long sizeBytes)
    {
        if (device.SizeBytes < sizeBytes)
        {
            driver.SetSize(device.Index, backend, sizeBytes);
            kernel.TellChange(device.Index);
        }
    }

    private string Resource => DeviceBackend.VolumeOf(backend).Split('/')[0];

    private List<NbdDevice> Ours(INbdDriver driver) =>
        [.. driver.Find().Where(device => device.IsConfigured && device.Backend == backend)];

    /// <summary>Sets how long requests wait for a server; false when the device is none any more.</summary>
    private bool TrySetTimeout(INbdDriver driver, NbdDevice device, long seconds)
    {
        try
        {
            driver.SetDeadConnectionTimeout(device.Index, backend, seconds);
            return true;
        }
        catch (IOException failed) when (failed.HResult == Errno.EINVAL)
        {
            return false;
        }
    }

    private NbdDeviceOptions Options() => new()
    {
        Backend = backend,
        SizeBytes = volume().LengthBytes,
        BlockBytes = volume().BlockBytes,
        TransmissionFlags = (ushort)(Flags
            | (volume().CanTrim ? NbdTransmissionFlags.SendTrim : NbdTransmissionFlags.None)),
    };

    /// <summary>Hands this process's end to the loop, unless the device has ceased to be wanted there.</summary>
    private Task Serve(StreamPair pair, CancellationToken wanted)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop().Post(() =>
        {
            if (wanted.IsCancellationRequested)
            {
                done.SetCanceled(wanted);
                return;
            }

            var served = new Served { Wanted = wanted };
            _served = served;
            serve(loop().Adopt(pair.DaemonEnd, "kernel"), () =>
            {
                if (Interlocked.CompareExchange(ref _served, null, served) == served
                    && !served.Wanted.IsCancellationRequested)
                {
                    lost();
                }
            });
            done.SetResult();
        });
        return done.Task;
    }

    /// <summary>One connection.</summary>
    private sealed class Served
    {
        /// <summary>Cancelled on the loop's thread when it need not be replaced any more.</summary>
        public CancellationToken Wanted { get; set; }
    }
}
