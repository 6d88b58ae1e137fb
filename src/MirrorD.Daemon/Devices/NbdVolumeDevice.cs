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
/// <param name="loop">The volume's loop.</param>
/// <param name="isRequired">Without the driver it fails; else there simply is no device.</param>
/// <param name="serve">Serves a connection on the loop; calls back when nothing of it is left.</param>
/// <param name="lost">Called when the connection ended though the device is wanted.</param>
internal sealed class NbdVolumeDevice(
    string backend, Func<IVolumeFrontend> volume, KernelNbd kernel, UringLoop loop, bool isRequired,
    Action<IConnection, Action> serve, Action lost) : IVolumeDevice
{
    // Reads are answered as a whole up to this, so that an error in them is told and does not end the connection.
    private const int MaxRequestKiB = 1024;

    // With its user gone from the mount or not: long enough for a daemon that is being restarted by hand.
    private const long WithoutServerSeconds = 30;

    private const NbdTransmissionFlags Flags = NbdTransmissionFlags.HasFlags | NbdTransmissionFlags.SendFlush
        | NbdTransmissionFlags.SendFua | NbdTransmissionFlags.SendTrim | NbdTransmissionFlags.SendWriteZeroes;

    private static readonly TimeSpan s_oldLinkPause = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _turn = new(1);
    private volatile string? _path;

    // Of the last connection that was begun; on the loop's thread.
    private long _connection;

    public string? Path => _path;

    public async Task Attach(CancellationToken wanted)
    {
        await _turn.WaitAsync(wanted);
        try
        {
            _path = null;
            if (!isRequired && await kernel.Prepare() is not null)
            {
                // Told when the daemon started.
                return;
            }

            NbdDriver driver = await kernel.Driver();
            await kernel.Readied().WaitAsync(wanted);
            while (await Left(driver) is { } left)
            {
                if (left.SizeBytes != volume().LengthBytes)
                {
                    throw new IOException(
                        $"{left.DevicePath} is left from an earlier run with {left.SizeBytes} bytes, and the volume has "
                        + $"{volume().LengthBytes}: end its use, then 'nbd-client -d {left.DevicePath}'");
                }

                using StreamPair next = StreamPair.Open();
                bool isTaken;
                try
                {
                    isTaken = driver.Reconfigure(left.Index, backend, next);
                }
                catch (IOException failed) when (failed.HResult == Errno.EINVAL)
                {
                    // It was taken away while somebody had it open, who keeps what is left of it: there will be another.
                    break;
                }

                if (isTaken)
                {
                    await Serve(next, wanted);
                    _path = await kernel.Link(backend, left.DevicePath, wanted);
                    return;
                }

                // The kernel has not yet seen that the earlier connection is dead.
                await Task.Delay(s_oldLinkPause, wanted);
            }

            using StreamPair pair = StreamPair.Open();
            await Serve(pair, wanted);
            NbdConnection made = driver.Connect(Options(), pair);
            kernel.Warn(made.Warnings);
            kernel.TellChange(made.Index);
            _path = await kernel.Link(backend, made.DevicePath, wanted);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task Detach()
    {
        _path = null;
        await _turn.WaitAsync();
        try
        {
            if (await kernel.Prepare() is null)
            {
                NbdDriver driver = await kernel.Driver();
                if (await Left(driver) is { } left)
                {
                    driver.Disconnect(left.Index);
                    kernel.TellChange(left.Index);
                }
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public IReadOnlyList<string> Users()
    {
        try
        {
            return _path is { } path ? DeviceUsers.Of(path) : [];
        }
        catch (IOException)
        {
            // It is gone.
            return [];
        }
    }

    public void FailWithoutServer()
    {
        NbdDriver driver = kernel.Driver().Result;
        foreach (NbdDevice device in driver.Find().Where(IsOurs))
        {
            driver.SetDeadConnectionTimeout(device.Index, backend, WithoutServerSeconds);
        }
    }

    private bool IsOurs(NbdDevice device) => device.IsConfigured && device.Backend == backend;

    private Task<NbdDevice?> Left(NbdDriver driver) => Task.Run(() => driver.Find().FirstOrDefault(IsOurs));

    private NbdDeviceOptions Options() => new()
    {
        Backend = backend,
        SizeBytes = volume().LengthBytes,
        BlockBytes = volume().BlockBytes,
        TransmissionFlags = (ushort)Flags,
        Queue = new NbdQueueSettings { MaxRequestKiB = MaxRequestKiB },
    };

    /// <summary>Hands this process's end to the loop, unless the device has ceased to be wanted there.</summary>
    private Task Serve(StreamPair pair, CancellationToken wanted)
    {
        var served = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() =>
        {
            if (wanted.IsCancellationRequested)
            {
                served.SetCanceled(wanted);
                return;
            }

            long connection = ++_connection;
            serve(loop.Adopt(pair.DaemonEnd, "kernel"), () =>
            {
                if (!wanted.IsCancellationRequested && connection == _connection)
                {
                    lost();
                }
            });
            served.SetResult();
        });
        return served.Task;
    }
}
