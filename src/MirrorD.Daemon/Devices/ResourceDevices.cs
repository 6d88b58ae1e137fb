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
    private static readonly TimeSpan s_retryInterval = TimeSpan.FromSeconds(1);

    // udev opens a device for moments whenever something changed.
    private static readonly TimeSpan s_secondLook = TimeSpan.FromMilliseconds(300);
    private const int Looks = 4;

    private readonly Lock _gate = new();
    private CancellationTokenSource? _wanted;

    // Removals that have not ended: what waits in a device that has to go must not be taken up by a later role.
    private Task _gone = Task.CompletedTask;

    /// <summary>
    /// A takeover does not wait longer for a device. It comes when it can, but the hooks that mount it have run by then and
    /// failed, and nobody runs them again: so no device that is only slow is given up.
    /// </summary>
    public TimeSpan AttachDeadline { get; init; } = KernelNbd.SlowAttachTime;

    /// <summary>A look at who uses the devices takes milliseconds, and a thousand processes a second.</summary>
    public TimeSpan UsersDeadline { get; init; } = TimeSpan.FromSeconds(10);

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
            bool isLate =
                await Task.WhenAny(first, Task.Delay(AttachDeadline, CancellationToken.None)) != first;
            string? failure = isLate ? "it is not there yet" : await first;
            if (failure is not null)
            {
                _ = GoOn(one.Volume, one.Device, first, failure, wanted);
            }

            return failure;
        }));
        return
        [
            .. volumes.Zip(failures).Where(pair => pair.Second is not null)
                .Select(pair => Sentence(pair.First.Volume, pair.Second!)),
        ];
    }

    /// <summary>Volumes are larger than before: so are the devices that are in place.</summary>
    public Task Grow() => Task.Run(async () =>
    {
        foreach ((string volume, IVolumeDevice device) in volumes)
        {
            try
            {
                await device.Grow();
            }
            catch (IOException failed)
            {
                trouble($"The block device of volume {volume} keeps its old size: {failed.Message.TrimEnd('.')}.");
            }
        }
    });

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
        lock (_gate)
        {
            return _gone = Task.WhenAll(_gone, Task.Run(() =>
                Task.WhenAll(volumes.Select(one => Detach(one.Volume, one.Device)))));
        }
    }

    /// <summary>
    /// The devices stay as they are, and wait for the next daemon. On the loop's thread: from the call on nothing more
    /// is served there.
    /// </summary>
    public void Leave() => Unwant()?.Cancel();

    /// <summary>Who uses the devices, a clause each.</summary>
    /// <exception cref="IOException">The kernel does not tell, or not in time: somebody may.</exception>
    public async Task<IReadOnlyList<string>> Users()
    {
        try
        {
            return await LookForUsers().WaitAsync(UsersDeadline);
        }
        catch (TimeoutException)
        {
            throw new IOException($"the kernel has not answered for {UsersDeadline.TotalSeconds} s");
        }
    }

    private async Task<IReadOnlyList<string>> LookForUsers()
    {
        for (int count = 1; ; count++)
        {
            IReadOnlyList<string>[] looks = await Task.Run(() =>
                Task.WhenAll(volumes.Select(one => one.Device.Users())));
            string[] users = [.. looks.SelectMany(look => look)];
            if (users.Length == 0 || count == Looks)
            {
                return users;
            }

            await Task.Delay(s_secondLook);
        }
    }

    /// <summary>The daemon ends though devices are in use.</summary>
    public async Task FailWithoutServer()
    {
        foreach ((string volume, IVolumeDevice device) in volumes)
        {
            try
            {
                await device.FailWithoutServer();
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

    private async Task<string?> Attach(IVolumeDevice device, CancellationToken wanted)
    {
        try
        {
            Task gone;
            lock (_gate)
            {
                gone = _gone;
            }

            await gone.WaitAsync(wanted);
            await Task.Run(() => device.Attach(wanted), wanted);
            return null;
        }
        catch (OperationCanceledException) when (wanted.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception failed)
        {
            // Whatever it is: nobody else hears of it, and the device is still wanted.
            return failed.Message.TrimEnd('.');
        }
    }

    /// <summary>Tries on when the first attempt, which may still be under way, has failed.</summary>
    private async Task GoOn(
        string volume, IVolumeDevice device, Task<string?> first, string told, CancellationToken wanted)
    {
        if (await first is { } failure)
        {
            if (failure != told)
            {
                trouble(Sentence(volume, failure));
            }

            await KeepAttaching(volume, device, failure, wanted);
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
            catch (Exception failed)
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
