using Microsoft.Extensions.Logging.Abstractions;
using MirrorD.Daemon.Devices;
using MirrorD.Engine;
using MirrorD.Engine.Nbd;
using MirrorD.Formats.Nbd;
using MirrorD.Io;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Tests.Devices;

/// <summary>The device of a volume on a driver that is made up.</summary>
public sealed class NbdVolumeDeviceTests : IDisposable
{
    private const string Backend = "mirrord:mail/data";
    private readonly UringLoop _loop = new();
    private readonly Thread _thread;
    private readonly TestDriver _driver = new(Backend);
    private readonly Queue<string> _absences = new();
    private readonly List<Action> _connections = [];
    private readonly TestVolume _volume = new();
    private readonly KernelNbd _kernel;
    private readonly NbdVolumeDevice _device;
    private int _losses;
    private int _busyAnswers;

    public NbdVolumeDeviceTests()
    {
        _thread = new Thread(_loop.Run);
        _thread.Start();
        _kernel = new KernelNbd(NullLogger.Instance, () =>
            _absences.TryDequeue(out string? cause) ? ((INbdDriver?)null, cause) : (_driver, null))
        {
            LinkWait = TimeSpan.Zero,
            IsUdevBusy = () => --_busyAnswers >= 0,
            HasDevice = _ => _driver.Devices.Values.Any(device => !device.IsDead),
        };
        _device = new NbdVolumeDevice(
            Backend, () => _volume, _kernel, () => _loop, isRequired: true, Serve, () => _losses++)
        {
            Patience = TimeSpan.FromSeconds(0.2),
        };
    }

    public void Dispose()
    {
        _loop.Stop();
        _thread.Join();
        _loop.Dispose();
        _volume.Dispose();
    }

    [Fact]
    public async Task Its_link_is_waited_for_while_udev_is_busy()
    {
        _busyAnswers = 3;

        await _device.Attach(CancellationToken.None);

        // The answer that ends it was the first "no".
        Assert.Equal(-1, _busyAnswers);
        Assert.Equal("/dev/nbd0", _device.Path);
    }

    [Fact]
    public async Task One_that_was_taken_away_while_in_use_hides_none_that_waits()
    {
        _driver.Add(0, isDead: true);
        _driver.Add(1);

        await _device.Attach(CancellationToken.None);

        Assert.Equal("/dev/nbd1", _device.Path);
        Assert.Equal(2, _driver.Devices.Count);

        await _device.Detach();
        Assert.True(_driver.Devices[1].IsDead, "the device outlives its role");
    }

    [Fact]
    public async Task One_whose_earlier_daemon_ended_for_good_waits_for_ever_again()
    {
        _driver.Add(0);
        await _device.FailWithoutServer();
        Assert.Equal(30, _driver.Devices[0].TimeoutSeconds);

        await _device.Attach(CancellationToken.None);
        Assert.Equal(NbdDeviceOptions.ForeverSeconds, _driver.Devices[0].TimeoutSeconds);
    }

    [Fact]
    public async Task One_whose_earlier_daemon_died_before_its_settings_gets_them()
    {
        _driver.Add(0);
        await _device.Attach(CancellationToken.None);
        Assert.Equal(2000, _driver.Devices[0].Settings?.RequestTimeoutMs);
    }

    [Fact]
    public async Task Users_of_one_that_is_not_served_yet_are_named()
    {
        _driver.Add(0);
        _driver.Users["/dev/nbd0"] = ["mounted at /srv"];
        Assert.Equal(["/dev/nbd0 is mounted at /srv"], await _device.Users());
    }

    [Fact]
    public async Task Users_of_one_that_was_taken_away_hold_up_nobody()
    {
        _driver.Add(0, isDead: true);
        _driver.Users["/dev/nbd0"] = ["mounted at /srv"];
        await _device.Attach(CancellationToken.None);
        Assert.Empty(await _device.Users());
    }

    [Fact]
    public async Task Users_that_no_table_shows_count_for_what_is_served()
    {
        _driver.Add(0);
        _driver.UnseenUsers["/dev/nbd0"] = ["held by a file system"];
        Assert.Empty(await _device.Users());

        await _device.Attach(CancellationToken.None);
        Assert.Equal(["/dev/nbd0 is held by a file system"], await _device.Users());
        _driver.Users["/dev/nbd0"] = ["mounted at /srv"];
        Assert.Equal(["/dev/nbd0 is mounted at /srv"], await _device.Users());
    }

    [Fact]
    public async Task One_that_another_living_process_serves_is_not_ended()
    {
        _driver.Add(0).IsServed = true;
        await Within.Deadline(_device.Detach(), "the answer");
        Assert.False(_driver.Devices[0].IsDead, "it was taken from who serves it");

        _driver.Devices[0].IsServed = false;
        await Within.Deadline(_device.Detach(), "the end");
        Assert.True(_driver.Devices[0].IsDead, "it was left to nobody");
    }

    [Fact]
    public async Task What_this_process_serves_is_ended_while_the_connection_lives()
    {
        await _device.Attach(CancellationToken.None);
        Assert.True(_driver.Devices[0].IsServed);
        await Within.Deadline(_device.Detach(), "the end");
        Assert.True(_driver.Devices[0].IsDead);
        Assert.DoesNotContain("reconfigure", _driver.Calls);
    }

    [Fact]
    public async Task An_end_does_not_wait_for_an_attempt_that_only_it_can_end()
    {
        // As a setting of the queue, which waits for requests of a connection that has ended.
        _driver.SettingsWaitForEnd = true;
        Task attach = Task.Run(() => _device.Attach(CancellationToken.None));
        await Within.Until(() => Task.FromResult(_driver.Devices.Count == 1), "the device");

        await Within.Deadline(_device.Detach(), "the end of the device");
        await Within.Deadline(attach, "the end of the attempt");
    }

    [Fact]
    public async Task A_connection_that_the_kernel_did_not_take_is_no_loss()
    {
        _driver.Refuses = true;
        await Assert.ThrowsAsync<IOException>(() => _device.Attach(CancellationToken.None));
        _connections[0]();
        Assert.Equal(0, _losses);

        _driver.Refuses = false;
        await _device.Attach(CancellationToken.None);
        await Within.Deadline(_device.Attach(CancellationToken.None), "an attempt beside one that was quicker");
        Assert.Single(_driver.Devices);

        _connections[1]();
        Assert.Equal(1, _losses);
    }

    [Fact]
    public async Task A_connection_that_the_kernel_finds_dead_is_replaced_by_the_living_daemon()
    {
        using var volume = new TestVolume();
        var server = new NbdServer(_loop, new UnixEndpoint("unused"), [volume], new NbdServerOptions(), _ => { });
        ResourceDevices? devices = null;
        var device = new NbdVolumeDevice(
            Backend, () => volume, _kernel, () => _loop, isRequired: true, server.Adopt, () => devices!.Lost("data"));
        devices = new ResourceDevices([("data", device)], _ => { });
        Assert.Empty(await devices.Open());

        for (int round = 0; round < 3; round++)
        {
            _driver.Devices[0].LoseConnection();
            await Within.Until(() => Task.FromResult(_driver.Devices[0].IsServed), "another connection");
        }

        Assert.Single(_driver.Devices);
        await Within.Deadline(OnLoop(devices.Close).Unwrap(), "the end of the device");
        await Within.Until(() => OnLoop(() => server.Sessions == 0), "the end of the connection");
    }

    [Fact]
    public async Task A_driver_that_is_loaded_later_is_found()
    {
        _absences.Enqueue("not loaded");
        IOException failed = await Assert.ThrowsAsync<IOException>(() => _device.Attach(CancellationToken.None));
        Assert.Equal("not loaded", failed.Message);

        await _device.Attach(CancellationToken.None);
        Assert.Equal("/dev/nbd0", _device.Path);
    }

    [Fact]
    public async Task One_that_is_only_welcome_comes_with_a_driver_that_is_loaded_later()
    {
        _absences.Enqueue("not loaded");
        _absences.Enqueue("not loaded yet");
        var welcome = new NbdVolumeDevice(
            Backend, () => _volume, _kernel, () => _loop, isRequired: false, Serve, () => _losses++);
        Assert.Equal("not loaded", await _kernel.Prepare());
        await welcome.Attach(CancellationToken.None);
        Assert.Null(welcome.Path);

        await welcome.Attach(CancellationToken.None);
        Assert.Equal("/dev/nbd0", welcome.Path);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_is_there_while_the_driver_can_not_be_reached_does_not_pass_for_none(bool isRequired)
    {
        _driver.Add(0);
        _driver.Users["/dev/nbd0"] = ["mounted at /srv"];
        var device = new NbdVolumeDevice(
            Backend, () => _volume, _kernel, () => _loop, isRequired, Serve, () => _losses++);
        foreach (Func<Task> use in (Func<Task>[])
            [device.Users, device.FailWithoutServer, device.Detach, () => device.Attach(CancellationToken.None)])
        {
            for (int attempt = 0; attempt < 4; attempt++)
            {
                _absences.Enqueue("no memory");
            }

            IOException failed = await Assert.ThrowsAsync<IOException>(use);
            Assert.Equal("no memory", failed.Message);
            _absences.Clear();
        }

        // Later it can.
        Assert.NotEmpty(await device.Users());
        await device.Detach();
        Assert.True(_driver.Devices[0].IsDead, "what waits there would be served in a later role");
    }

    [Fact]
    public async Task A_device_in_place_grows_with_its_volume()
    {
        await _device.Attach(CancellationToken.None);
        await _device.Grow();
        Assert.DoesNotContain(_driver.Calls, call => call.StartsWith("size", StringComparison.Ordinal));
        _volume.LengthBytes = 2 * TestDriver.DeviceBytes;
        await _device.Grow();
        Assert.Equal(2 * TestDriver.DeviceBytes, _driver.Devices[0].SizeBytes);
    }

    [Fact]
    public async Task A_device_that_an_earlier_daemon_left_gets_the_size_that_its_volume_has_grown_to()
    {
        _driver.Add(0);
        _volume.LengthBytes = 2 * TestDriver.DeviceBytes;
        await _device.Grow();
        Assert.Equal(TestDriver.DeviceBytes, _driver.Devices[0].SizeBytes);
        await _device.Attach(CancellationToken.None);
        Assert.Equal(["reconfigure", $"size {2 * TestDriver.DeviceBytes}"], _driver.Calls.TakeLast(2));
        Assert.Equal("/dev/nbd0", _device.Path);
    }

    [Fact]
    public async Task One_that_is_larger_is_refused_with_what_takes_it_away()
    {
        _driver.Add(0);
        _volume.LengthBytes = TestDriver.DeviceBytes / 2;
        IOException failed = await Assert.ThrowsAsync<IOException>(() => _device.Attach(CancellationToken.None));
        Assert.Contains("'mirrorctl demote mail'", failed.Message, StringComparison.Ordinal);

        // As the command does.
        await _device.Detach();
        await _device.Attach(CancellationToken.None);
        Assert.Equal("/dev/nbd1", _device.Path);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_trim_is_offered_where_the_disk_can_do_it(bool canTrim)
    {
        _volume.CanTrim = canTrim;
        await _device.Attach(CancellationToken.None);
        var offered = (NbdTransmissionFlags)_driver.Devices[0].Options!.TransmissionFlags;
        Assert.Equal(canTrim, offered.HasFlag(NbdTransmissionFlags.SendTrim));
        Assert.True(offered.HasFlag(NbdTransmissionFlags.SendWriteZeroes));
    }

    private void Serve(IConnection connection, Action ended)
    {
        connection.Close();
        _connections.Add(ended);
    }

    private Task<T> OnLoop<T>(Func<T> action)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.Post(() => done.SetResult(action()));
        return done.Task;
    }

    private sealed class TestVolume : IVolumeFrontend, IDisposable
    {
        public string Name => "data";

        public long LengthBytes { get; set; } = TestDriver.DeviceBytes;

        public int BlockBytes => 4096;

        public bool CanTrim { get; set; }

        public string? Unavailable => null;

        public BufferPool Buffers { get; } = new(4, 128 << 10);

        public void Dispose() => Buffers.Dispose();

        public void Submit(IoRequest request) => throw new NotSupportedException();

        public void QueryAllocation(long offset, long lengthBytes, IoOperation operation) =>
            throw new NotSupportedException();

        public void WhenBufferFree(Action resume) => throw new NotSupportedException();
    }
}
