using System.Diagnostics;
using Microsoft.Extensions.Logging;
using MirrorD.Daemon.Logging;
using MirrorD.Daemon.Scratch;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.Memory;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Devices;

/// <summary>The kernel's nbd driver, as all volumes of this daemon share it.</summary>
internal sealed class KernelNbd
{
    /// <summary>Where the udev rule makes its links.</summary>
    public const string LinkDirectory = "/dev/mirrord";

    // Of a scratch run that goes well; a slow disk must not keep waiting users from their device for longer.
    private static readonly TimeSpan s_scratchWait = TimeSpan.FromSeconds(10);

    // A program that this process is just starting holds the kernel's end as well, until it runs.
    private static readonly TimeSpan s_proofLook = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan s_linkPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_busyLinkWait = TimeSpan.FromSeconds(30);

    /// <summary>What a device may take at most that comes in the end though disk, driver and udev are all slow.</summary>
    public static TimeSpan SlowAttachTime => s_scratchWait + NbdDriver.BusyPatience + s_busyLinkWait;

    private readonly ILogger _logger;
    private readonly Func<(INbdDriver? Driver, string? Cause)> _open;
    private volatile Lazy<Task<(INbdDriver? Driver, string? Cause)>> _opened;
    private Task _readied = Task.CompletedTask;

    /// <summary>Nothing is opened yet.</summary>
    public KernelNbd(ILogger logger)
        : this(logger, OpenDriver)
    {
    }

    /// <summary>The same with another driver.</summary>
    internal KernelNbd(ILogger logger, Func<(INbdDriver? Driver, string? Cause)> open)
    {
        _logger = logger;
        _open = open;
        _opened = new(() => Task.Run(_open));
    }

    /// <summary>The driver was there before this daemon, and so may be devices of an earlier one.</summary>
    public bool MayHaveDevices { get; init; } = Directory.Exists("/sys/module/nbd");

    /// <summary>How long udev has for its link; a rule that is missing costs that much.</summary>
    internal TimeSpan LinkWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long it has while it is busy: hooks that mount the device by its link would fail without it.</summary>
    internal TimeSpan BusyLinkWait { get; init; } = s_busyLinkWait;

    /// <summary>udev has events to handle. The file is what `udevadm settle` looks at.</summary>
    internal Func<bool> IsUdevBusy { get; init; } = () => File.Exists("/run/udev/queue");

    /// <summary>The kernel shows a device of a backend that was connected. It does so without the driver's netlink family.</summary>
    internal Func<string, bool> HasDevice { get; init; } = backend => Directory.Exists("/sys/block")
        && NbdDeviceList.Read("/").Any(device => device.Backend == backend && device.ConnectedBy is not null);

    /// <summary>Looks for the driver, and loads its module if need be.</summary>
    /// <returns>Why it can't be used; null when it can.</returns>
    public async Task<string?> Prepare() => (await _opened.Value).Cause;

    /// <summary>As <see cref="Prepare"/>; a driver that was not there is looked for again.</summary>
    public async Task<string?> PrepareAgain()
    {
        Lazy<Task<(INbdDriver? Driver, string? Cause)>> opened = _opened;
        if ((await opened.Value).Driver is null)
        {
            LookAgain(opened);
        }

        return await Prepare();
    }

    /// <summary>Looks for the driver, and makes this process ready to serve the kernel. No device is served before.</summary>
    /// <param name="resources">Who wants devices.</param>
    /// <param name="scratchDirectory">Where a scratch volume may be made.</param>
    /// <param name="ioFlusherProblem">See <see cref="IoFlusher.Become"/>.</param>
    /// <param name="loops">Makes the loop of the scratch volume.</param>
    public void Begin(
        IReadOnlyList<string> resources, string scratchDirectory, string? ioFlusherProblem, LoopFactory loops) =>
        _readied = Ready(resources, scratchDirectory, ioFlusherProblem, loops);

    /// <summary>Ends when devices may be served.</summary>
    public Task Readied() => _readied;

    /// <summary>The driver.</summary>
    /// <exception cref="IOException">It can't be used; the message says why.</exception>
    public async Task<INbdDriver> Driver()
    {
        Lazy<Task<(INbdDriver? Driver, string? Cause)>> opened = _opened;
        (INbdDriver? driver, string? cause) = await opened.Value;
        if (driver is null)
        {
            // The message names a remedy, and whoever needs it asks again.
            LookAgain(opened);
            throw new IOException(cause);
        }

        return driver;
    }

    /// <summary>
    /// The driver, for what is done to devices that may be there; null without a driver and without such a device. One that
    /// is there and can't be reached must not pass for one that is gone: what waits in it would be served again later.
    /// </summary>
    /// <param name="backend">Names the volume.</param>
    /// <exception cref="IOException">The kernel shows such a device, and its driver can't be used.</exception>
    public async Task<INbdDriver?> DriverOf(string backend) =>
        await Prepare() is null || HasDevice(backend) ? await Driver() : null;

    /// <summary>
    /// The kernel takes another connection in place of a dead one only. So this is the proof that nobody serves the
    /// device; the process that it names may be long gone, and its successor serve it.
    /// </summary>
    /// <remarks>
    /// Nobody reads what the kernel sends there at once, and once the socket is full it holds what Disconnect waits for,
    /// unkillably (nbd.c: tx_lock). So the connection is closed when this returns, and nothing that may take long is done
    /// before.
    /// </remarks>
    /// <exception cref="IOException">With EINVAL: it is none any more.</exception>
    public static async Task<bool> IsServedByNobody(INbdDriver driver, NbdDevice device)
    {
        using StreamPair proof = StreamPair.Open();
        if (!driver.Reconfigure(device.Index, device.Backend, proof))
        {
            return false;
        }

        await Task.Delay(s_proofLook);
        return proof.IsOtherEndOpen();
    }

    /// <summary>Forgets an attempt that failed, unless somebody else has.</summary>
    private void LookAgain(Lazy<Task<(INbdDriver? Driver, string? Cause)>> failed) =>
        Interlocked.CompareExchange(ref _opened, new(() => Task.Run(_open)), failed);

    private static (INbdDriver? Driver, string? Cause) OpenDriver() =>
        NbdDriver.TryOpen(out NbdDriver? driver, out string? cause) ? (new KernelNbdDriver(driver), null) : (null, cause);

    private static string? TargetOf(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName;
        }
        catch (IOException)
        {
            // Not there yet.
            return null;
        }
    }

    private async Task Ready(
        IReadOnlyList<string> resources, string scratchDirectory, string? ioFlusherProblem, LoopFactory loops)
    {
        Task<ScratchOutcome> scratch = ScratchRun.Begin(scratchDirectory, loops);
        if (await Prepare() is { } cause)
        {
            DeviceLog.NoDriver(_logger, string.Join(", ", resources), cause);
        }
        else if (ioFlusherProblem is not null)
        {
            Warn([$"Under memory pressure a block device may stall: {ioFlusherProblem}."]);
        }

        ScratchOutcome outcome = await WhatCameOf(scratch);
        if (outcome.Problem is { } problem)
        {
            DeviceLog.ScratchFailed(_logger, problem);
        }
        else
        {
            DeviceLog.ScratchDone(_logger, outcome.Time.TotalMilliseconds);
        }
    }

    /// <summary>Whatever happens on the scratch volume, no device waits for it for long.</summary>
    private static async Task<ScratchOutcome> WhatCameOf(Task<ScratchOutcome> scratch)
    {
        try
        {
            return await scratch.WaitAsync(s_scratchWait);
        }
        catch (TimeoutException)
        {
            return new ScratchOutcome($"it is not done after {s_scratchWait.TotalSeconds} s", s_scratchWait);
        }
        catch (Exception failed)
        {
            return new ScratchOutcome(failed.Message.TrimEnd('.'), TimeSpan.Zero);
        }
    }

    /// <summary>Tells what is not as it should be, but no reason to do without the device.</summary>
    public void Warn(IReadOnlyList<string> warnings)
    {
        foreach (string warning in warnings)
        {
            DeviceLog.Warning(_logger, warning);
        }
    }

    /// <summary>
    /// Has udev look at a device again: the kernel tells of a new one before its backend can be read, and of the end of
    /// one not at all (admin-guide/sysfs-rules, "uevent").
    /// </summary>
    public void TellChange(int index)
    {
        string file = $"/sys/block/nbd{index}/uevent";
        try
        {
            File.WriteAllText(file, "change");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            Warn([$"{file} can't be written, so that udev may not notice the device: {failed.Message}"]);
        }
    }

    /// <summary>
    /// The link that udev makes for a device, once it is told to look; the device itself when there is none after a
    /// while.
    /// </summary>
    /// <param name="backend">Names the volume.</param>
    /// <param name="index">Number of the device.</param>
    /// <param name="isNew">A link that is there may be an earlier one, and about to go.</param>
    /// <param name="wanted">Cancelled when it is no longer waited for.</param>
    public async Task<string> Link(string backend, int index, bool isNew, CancellationToken wanted)
    {
        string device = NbdDevice.PathOf(index);
        string link = Path.Combine(LinkDirectory, DeviceBackend.VolumeOf(backend));
        if (isNew || TargetOf(link) != device)
        {
            TellChange(index);
        }

        var waited = Stopwatch.StartNew();
        bool mayCome = true;
        while (mayCome)
        {
            // Before the link is looked for: udev may make it and be done in between.
            mayCome = waited.Elapsed < LinkWait || (waited.Elapsed < BusyLinkWait && IsUdevBusy());
            if (TargetOf(link) == device)
            {
                return link;
            }

            await Task.Delay(s_linkPause, wanted);
        }

        DeviceLog.NoLink(_logger, device, link);
        return device;
    }
}
