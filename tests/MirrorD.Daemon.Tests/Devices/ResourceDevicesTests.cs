using Microsoft.Extensions.Logging.Abstractions;
using MirrorD.Daemon.Devices;
using MirrorD.Daemon.Startup;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Tests.Devices;

/// <summary>Devices that come, fail, are lost and go, as the steps of a role want them.</summary>
public class ResourceDevicesTests
{
    private readonly TestDevice _device = new();
    private readonly List<string> _troubles = [];
    private readonly ResourceDevices _devices;

    public ResourceDevicesTests()
    {
        _devices = new ResourceDevices([("data", _device)], problem =>
        {
            lock (_troubles)
            {
                _troubles.Add(problem);
            }
        });
    }

    [Fact]
    public async Task What_is_in_place_has_a_path_and_goes_when_it_is_closed()
    {
        Assert.Empty(await _devices.Open());
        Assert.Equal("/dev/test", _devices.PathOf("data"));
        Assert.Null(_devices.PathOf("other"));

        await _devices.Close();
        Assert.Null(_devices.PathOf("data"));
        Assert.Empty(await _devices.Users());
    }

    [Fact]
    public async Task A_failure_is_told_and_tried_again_until_it_works()
    {
        _device.Failures.Enqueue("no module.");
        _device.Failures.Enqueue("no module.");
        _device.Failures.Enqueue("no memory.");

        Assert.Equal(["The block device of volume data: no module."], await _devices.Open());
        await Within.Until(() => Task.FromResult(_devices.PathOf("data") is not null), "the device to be there");
        Assert.Equal(["The block device of volume data: no memory."], Troubles());
    }

    [Fact]
    public async Task A_device_that_is_no_longer_wanted_is_not_attached_any_more()
    {
        _device.Failures.Enqueue("no module");
        await _devices.Open();
        await _devices.Close();
        int attempts = _device.Attempts;
        _devices.Lost("data");

        await Within.Until(() => Task.FromResult(_device.Detached > 0), "the device to be detached");
        Assert.Equal(attempts, _device.Attempts);
    }

    [Fact]
    public async Task A_connection_that_ends_is_replaced_while_the_device_is_wanted()
    {
        await _devices.Open();
        _devices.Lost("data");
        await Within.Until(() => Task.FromResult(_device.Attempts == 2), "a second connection");
    }

    [Fact]
    public async Task Those_that_stay_for_the_next_daemon_are_neither_detached_nor_attached()
    {
        await _devices.Open();
        _devices.Leave();
        _devices.Lost("data");

        Assert.Equal("/dev/test", _devices.PathOf("data"));
        Assert.Equal((1, 0), (_device.Attempts, _device.Detached));
    }

    [Fact]
    public async Task Users_are_named_with_their_device_and_momentary_ones_are_not()
    {
        await _devices.Open();
        _device.UsersAtEachLook.Enqueue(["/dev/test is open by udevd (pid 7)"]);
        Assert.Empty(await _devices.Users());

        for (int i = 0; i < 10; i++)
        {
            _device.UsersAtEachLook.Enqueue(["/dev/test is mounted at /srv"]);
        }

        Assert.Equal(["/dev/test is mounted at /srv"], await _devices.Users());
    }

    [Fact]
    public async Task A_first_attempt_that_fails_late_is_tried_again()
    {
        var attaching = new TaskCompletionSource();
        _device.Attaching = attaching.Task;
        _device.Failures.Enqueue("busy");
        var devices = new ResourceDevices([("data", _device)], _ => { }) { AttachDeadline = TimeSpan.Zero };
        Assert.Equal(["The block device of volume data: it is not there yet."], await devices.Open());

        attaching.SetResult();
        await Within.Until(() => Task.FromResult(devices.PathOf("data") is not null), "the device to be there");
    }

    [Fact]
    public void The_hooks_run_after_the_slowest_device_and_a_stop_still_has_time_for_its_own()
    {
        var kernel = new KernelNbd(NullLogger.Instance, () => (null, "not here"));
        Assert.InRange(
            _devices.AttachDeadline, kernel.BusyLinkWait + NbdDriver.BusyPatience,
            StopLimits.Orderly - TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task What_nobody_foresaw_is_told_and_tried_again()
    {
        await _devices.Open();
        _device.Unforeseen.Enqueue(new InvalidOperationException("surprise"));
        _devices.Lost("data");

        await Within.Until(() => Task.FromResult(_device.Attempts == 3), "another attempt");
        Assert.Equal(["The block device of volume data: surprise."], Troubles());
    }

    [Fact]
    public async Task What_has_to_go_is_gone_before_a_later_role_puts_anything_in_place()
    {
        var detaching = new TaskCompletionSource();
        _device.Detaching = detaching.Task;
        Task closed = _devices.Close();
        Task<IReadOnlyList<string>> open = _devices.Open();
        Assert.Equal(0, _device.Attempts);

        detaching.SetResult();
        await Within.Deadline(closed, "the removal");
        Assert.Empty(await Within.Deadline(open, "the device"));
        Assert.Equal((1, 1, "/dev/test"), (_device.Detached, _device.Attempts, _devices.PathOf("data")));
    }

    [Fact]
    public async Task A_device_that_can_not_grow_is_told()
    {
        await Within.Deadline(_devices.Grow(), "the attempt to grow");
        Assert.Equal("The block device of volume data keeps its old size: it can't grow.", Assert.Single(Troubles()));
    }

    private string[] Troubles()
    {
        lock (_troubles)
        {
            return [.. _troubles];
        }
    }

    [Fact]
    public async Task A_kernel_that_does_not_answer_who_uses_a_device_says_neither_yes_nor_no_for_ever()
    {
        _device.Looking = new TaskCompletionSource().Task;
        var devices = new ResourceDevices([("data", _device)], _ => { }) { UsersDeadline = TimeSpan.FromSeconds(0.1) };
        IOException failed = await Assert.ThrowsAsync<IOException>(
            () => Within.Deadline(devices.Users(), "an answer"));
        Assert.Equal("the kernel has not answered for 0.1 s", failed.Message);
    }

    private sealed class TestDevice : IVolumeDevice
    {
        private volatile string? _path;
        private int _attempts;
        private int _detached;

        public Queue<string> Failures { get; } = new();

        public Queue<Exception> Unforeseen { get; } = new();

        public Task Attaching { get; set; } = Task.CompletedTask;

        public Task Detaching { get; set; } = Task.CompletedTask;

        public Task Looking { get; set; } = Task.CompletedTask;

        public Queue<string[]> UsersAtEachLook { get; } = new();

        public int Attempts => Volatile.Read(ref _attempts);

        public int Detached => Volatile.Read(ref _detached);

        public string? Path => _path;

        public async Task Attach(CancellationToken wanted)
        {
            wanted.ThrowIfCancellationRequested();
            Interlocked.Increment(ref _attempts);
            await Attaching;
            if (Unforeseen.TryDequeue(out Exception? unforeseen))
            {
                throw unforeseen;
            }

            if (Failures.TryDequeue(out string? failure))
            {
                throw new IOException(failure);
            }

            _path = "/dev/test";
        }

        public async Task Detach()
        {
            await Detaching;
            _path = null;
            Interlocked.Increment(ref _detached);
        }

        public Task Grow() => throw new IOException("it can't grow");

        public async Task<IReadOnlyList<string>> Users()
        {
            await Looking;
            return UsersAtEachLook.TryDequeue(out string[]? users) ? users : [];
        }

        public Task FailWithoutServer() => throw new IOException("not here");
    }
}
