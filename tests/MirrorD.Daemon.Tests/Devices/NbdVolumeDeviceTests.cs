using Microsoft.Extensions.Logging.Abstractions;
using MirrorD.Daemon.Devices;
using MirrorD.Engine;
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
    private readonly NbdVolumeDevice _device;
    private int _losses;

    public NbdVolumeDeviceTests()
    {
        _thread = new Thread(_loop.Run);
        _thread.Start();
        var kernel = new KernelNbd(NullLogger.Instance, () =>
            _absences.TryDequeue(out string? cause) ? ((INbdDriver?)null, cause) : (_driver, null)) { LinkWait = TimeSpan.Zero };
        _device = new NbdVolumeDevice(
            Backend, () => new TestVolume(), kernel, () => _loop, isRequired: true, Serve, () => _losses++);
    }

    public void Dispose()
    {
        _loop.Stop();
        _thread.Join();
        _loop.Dispose();
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
    public async Task An_end_does_not_wait_for_an_attempt_that_only_it_can_end()
    {
        // As a setting of the queue, which waits for requests of a connection that has ended.
        _driver.ConnectWaitsForEnd = true;
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
    public async Task A_driver_that_is_loaded_later_is_found()
    {
        _absences.Enqueue("not loaded");
        IOException failed = await Assert.ThrowsAsync<IOException>(() => _device.Attach(CancellationToken.None));
        Assert.Equal("not loaded", failed.Message);

        await _device.Attach(CancellationToken.None);
        Assert.Equal("/dev/nbd0", _device.Path);
    }

    private void Serve(IConnection connection, Action ended)
    {
        connection.Close();
        _connections.Add(ended);
    }

    private sealed class TestVolume : IVolumeFrontend
    {
                public string Name => "data";

        public long LengthBytes => TestDriver.DeviceBytes;

        public int BlockBytes => 4096;

        public string? Unavailable => null;

        public BufferPool Buffers => throw new NotSupportedException();

        public void Submit(IoRequest request) => throw new NotSupportedException();

        public void QueryAllocation(long offset, long lengthBytes, IoOperation operation) =>
            throw new NotSupportedException();

        public void WhenBufferFree(Action resume) => throw new NotSupportedException();
    }
}
