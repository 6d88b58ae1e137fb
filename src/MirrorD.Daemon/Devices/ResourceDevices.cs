namespace MirrorD.Daemon.Devices;

/// <summary>
/// The block devices of a resource: in place while this node serves it. What can't be done is tried again until it is
/// no longer wanted.
/// </summary>
/// <param name="volumes">Name and device of each volume; none where the resource has exports only.</param>
/// <param name="trouble">Told of a failure that was not foreseen, or that comes later.</param>
internal sealed class ResourceDevices(
    IReadOnlyList<(string Volume, IVolumeDevice Device)> volumes, Action<string> trouble)
{
    // A takeover does not wait longer for a device; it comes when it can.
    private static readonly TimeSpan s_attachDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_retryInterval = TimeSpan.FromSeconds(1);

    // udev opens a device for moments whenever something changed.
    private static readonly TimeSpan s_secondLook = TimeSpan.FromMilliseconds(300);
    private const int Looks = 4;

    private readonly Lock _gate = new();
    private CancellationTokenSource? _wanted;

    /// <summary>Where programs find a volume; null while its device is not there.</summary>
    public string? PathOf(string volume) => volumes.FirstOrDefault(one => one.Volume == volume).Device?.Path;

    /// <summary>Puts all devices in place.</summary>
    /// <returns>What failed or is late, one sentence each; it is tried again.</returns>
    public async Task<IReadOnlyList<string>> Open()
    {
        CancellationToken wanted = Want().Token;
        string?[] failures = await Task.WhenAll(volumes.Select(async one =>
        {
            Task<string?> first = Attach(one.Device, wanted);
            if (await Task.WhenAny(first, Task.Delay(s_attachDeadline, CancellationToken.None)) != first)
            {
                return "it is not there yet";
            }

            string? failure = await first;
            if (failure is not null)
            {
                _ = KeepAttaching(one.Volume, one.Device, failure, wanted);
            }

            return failure;
        }));
        return
        [
            .. volumes.Zip(failures).Where(pair => pair.Second is not null)
                .Select(pair => Sentence(pair.First.Volume, pair.Second!)),
        ];
    }

    /// <summary>The connection of a device has ended though it is wanted: it gets another one.</summary>
    public void Lost(string volume)
    {
        CancellationTokenSource? wanted;
        lock (_gate)
        {
            wanted = _wanted;
        }

        if (wanted is not null)
        {
            IVolumeDevice device = volumes.First(one => one.Volume == volume).Device;
            _ = Task.Run(() => KeepAttaching(volume, device, null, wanted.Token));
        }
    }

    /// <summary>Takes all devices away. On the loop's thread: from the call on nothing more is served there.</summary>
    public Task Close()
    {
        Leave();
        return Task.Run(() => Task.WhenAll(volumes.Select(one => Detach(one.Volume, one.Device))));
    }

    /// <summary>
    /// The devices stay as they are, and wait for the next daemon. On the loop's thread: from the call on nothing more
    /// is served there.
    /// </summary>
    public void Leave() => Unwant()?.Cancel();

    /// <summary>Who uses the devices, a clause each.</summary>
    public async Task<IReadOnlyList<string>> Users()
    {
        for (int look = 1; ; look++)
        {
            string[] users = await Task.Run(() => volumes.SelectMany(one =>
                one.Device.Users().Select(use => $"{one.Device.Path} is {use}")).ToArray());
            if (users.Length == 0 || look == Looks)
            {
                return users;
            }

            await Task.Delay(s_secondLook);
        }
    }

    /// <summary>The daemon ends though devices are in use.</summary>
    public void FailWithoutServer()
    {
        foreach ((string volume, IVolumeDevice device) in volumes.Where(one => one.Device.Path is not null))
        {
            try
            {
                device.FailWithoutServer();
            }
            catch (IOException failed)
            {
                trouble(Sentence(volume, failed.Message));
            }
        }
    }

    private CancellationTokenSource Want()
    {
        lock (_gate)
        {
            _wanted?.Cancel();
            return _wanted = new CancellationTokenSource();
        }
    }

    private CancellationTokenSource? Unwant()
    {
        lock (_gate)
        {
            CancellationTokenSource? wanted = _wanted;
            _wanted = null;
            return wanted;
        }
    }

    private static async Task<string?> Attach(IVolumeDevice device, CancellationToken wanted)
    {
        try
        {
            await Task.Run(() => device.Attach(wanted), wanted);
            return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (IOException failed)
        {
            return failed.Message.TrimEnd('.');
        }
    }

    private async Task KeepAttaching(string volume, IVolumeDevice device, string? told, CancellationToken wanted)
    {
        while (!wanted.IsCancellationRequested && await Attach(device, wanted) is { } failure)
        {
            if (failure != told)
            {
                trouble(Sentence(volume, failure));
            }

            told = failure;
            await Task.Delay(s_retryInterval, CancellationToken.None);
        }
    }

    private async Task Detach(string volume, IVolumeDevice device)
    {
        string? told = null;
        while (true)
        {
            try
            {
                await device.Detach();
                return;
            }
            catch (IOException failed)
            {
                if (failed.Message != told)
                {
                    trouble($"The block device of volume {volume} can't be taken away: {failed.Message.TrimEnd('.')}.");
                }

                told = failed.Message;
                await Task.Delay(s_retryInterval);
            }
        }
    }

    private static string Sentence(string volume, string failure) =>
        $"The block device of volume {volume}: {failure.TrimEnd('.')}.";
}
