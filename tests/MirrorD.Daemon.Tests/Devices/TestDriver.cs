using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;
using MirrorD.Daemon.Devices;
using MirrorD.Io;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Tests.Devices;

/// <summary>A driver that is made up: as the kernel's, as far as devices need it.</summary>
/// <param name="backend">Of devices that are added without one.</param>
internal sealed class TestDriver(string backend) : INbdDriver
{
    public const long DeviceBytes = 1 << 20;

    public Dictionary<int, TestDevice> Devices { get; } = [];

    public Dictionary<string, string[]> Users { get; } = [];

    public bool Refuses { get; set; }

    public bool SettingsWaitForEnd { get; set; }

    /// <summary>It takes no connection, but that shows only after the answer.</summary>
    public bool LetsGoLater { get; set; }

    /// <summary>In their order; an end of a device whose connection nobody reads would never come back.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    public TestDevice Add(int index, bool isDead = false, string? named = null)
    {
        var device = new TestDevice { Backend = named ?? backend, IsDead = isDead };
        Devices.Add(index, device);
        return device;
    }

    public IReadOnlyList<NbdDevice> Find() =>
    [
        .. Devices.OrderBy(one => one.Key).Select(one =>
            new NbdDevice(one.Key, one.Value.Backend, one.Value.SizeBytes, 1, one.Value.IsConfigured)),
    ];

    public int Connect(NbdDeviceOptions options, StreamPair pair)
    {
        if (Refuses)
        {
            throw new IOException("busy");
        }

        int index = Devices.Count;
        TestDevice made = Add(index, named: options.Backend);
        made.Options = options;
        made.Take(pair);
        return index;
    }

    public IReadOnlyList<string> Apply(NbdQueueSettings settings, int index)
    {
        if (SettingsWaitForEnd)
        {
            Devices[index].Ended.Wait();
        }

        Devices[index].Settings = settings;
        return [];
    }

    public bool Reconfigure(int index, string backend, StreamPair pair)
    {
        TestDevice device = Alive(index);
        Calls.Enqueue("reconfigure");
        if (device.IsServed)
        {
            if (LetsGoLater)
            {
                pair.KernelEnd.Dispose();
            }

            return LetsGoLater;
        }

        device.Take(pair);
        return true;
    }

    public void SetSize(int index, string backend, long sizeBytes)
    {
        Calls.Enqueue($"size {sizeBytes}");
        Alive(index).SizeBytes = sizeBytes;
    }

    public void SetDeadConnectionTimeout(int index, string backend, long seconds) => Alive(index).TimeoutSeconds = seconds;

    public void Disconnect(int index)
    {
        Calls.Enqueue(Devices[index].IsUnread ? "disconnect, unread" : "disconnect");
        Devices[index].IsDead = true;
        Devices[index].LoseConnection();
        Devices[index].Ended.Set();
    }

    public IReadOnlyList<string> UsersOf(string devicePath)
    {
        Calls.Enqueue("users");
        return Users.GetValueOrDefault(devicePath, []);
    }

    public Dictionary<string, string[]> UnseenUsers { get; } = [];

    public IReadOnlyList<string> UnseenUsersOf(string devicePath) => UnseenUsers.GetValueOrDefault(devicePath, []);

    private TestDevice Alive(int index) =>
        Devices[index].IsDead ? throw new IOException("not connected", Errno.EINVAL) : Devices[index];
}

/// <summary>One of its devices.</summary>
internal sealed class TestDevice
{
    public required string Backend { get; init; }

    /// <summary>It was connected, and is known to the kernel as such.</summary>
    public bool IsConfigured { get; init; } = true;

    /// <summary>It was disconnected while in use.</summary>
    public bool IsDead { get; set; }

    /// <summary>It has a connection that lives, as far as the kernel knows.</summary>
    public bool IsServed { get; set; }

    /// <summary>What was set last.</summary>
    public NbdQueueSettings? Settings { get; set; }

    /// <summary>What it was made with; null of one that is left.</summary>
    public NbdDeviceOptions? Options { get; set; }

    public long SizeBytes { get; set; } = TestDriver.DeviceBytes;

    public long TimeoutSeconds { get; set; } = NbdDeviceOptions.ForeverSeconds;

    public ManualResetEventSlim Ended { get; } = new();

    /// <summary>Its connection is held by who made it, and no loop reads it.</summary>
    public bool IsUnread => _daemonEnd is { IsClosed: false };

    private SafeFileHandle? _end;
    private SafeFileHandle? _daemonEnd;

    /// <summary>Keeps the kernel's end.</summary>
    public void Take(StreamPair pair)
    {
        _end = new SafeFileHandle(pair.KernelEnd.DangerousGetHandle(), ownsHandle: true);
        pair.KernelEnd.SetHandleAsInvalid();
        _daemonEnd = pair.DaemonEnd;
        IsServed = true;
    }

    /// <summary>The kernel finds the connection dead, and shuts it down (nbd_mark_nsock_dead).</summary>
    public void LoseConnection()
    {
        IsServed = false;
        _end?.Dispose();
    }
}
