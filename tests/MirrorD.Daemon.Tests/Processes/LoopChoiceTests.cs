using System.Net;
using System.Net.Sockets;
using MirrorD.Daemon.Tests.Cli;
using MirrorD.Io;

namespace MirrorD.Daemon.Tests.Processes;

/// <summary>By what a node serves: real daemons, also where the kernel refuses io_uring.</summary>
public sealed class LoopChoiceTests : IDisposable
{
    private const int ENOSYS = 38;
    private const string Fallback = "disks and sockets are served by epoll and threads";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("", "io_uring")]
    [InlineData("io: auto", "io_uring")]
    [InlineData("io: uring", "io_uring")]
    [InlineData("io: epoll", "epoll")]
    public async Task The_configuration_chooses(string line, string expected)
    {
        await Write(line);
        using DaemonProcess daemon = await Start();
        Assert.Contains($", {expected})", await daemon.Require("version"));
        Assert.DoesNotContain(Fallback, daemon.Log);
        Assert.Equal(0, await daemon.Terminate());
    }

    [Theory]
    [InlineData(Errno.EPERM, "A seccomp filter (container or service sandbox) blocks it: permit io_uring_setup")]
    [InlineData(ENOSYS, "The kernel has no io_uring (5.11 or newer is needed), or a seccomp filter hides it")]
    public async Task Where_io_uring_is_refused_auto_warns_once_with_the_cause_and_serves(int errno, string cause)
    {
        await Write("io: auto");
        using DaemonProcess daemon = await Start(RefusedUring.Words(_directory, errno));
        Assert.Contains(", epoll)", await daemon.Require("version"));
        string told = Assert.Single(daemon.Log.Split('\n'), line => line.Contains(Fallback));
        Assert.Contains(cause, told);
        Assert.Contains("With 'io: epoll' for node a this is not told again", told);

        // The other node has io_uring: neither sees a difference.
        using DaemonProcess other = await DaemonProcess.StartAndWait(_directory.At("mirrord.yaml"), "b", _directory.Root);
        Assert.Contains(", io_uring)", await other.Require("version"));
        await daemon.WaitFor("mail", "to be joined", resource => resource.Link == "Joined");
        await daemon.Require("promote", "mail");
        await daemon.WaitFor("mail", "to be Primary", resource => resource.Role == "Primary");
        Assert.Equal(0, await daemon.Terminate());
    }

    [Fact]
    public async Task Where_io_uring_is_refused_epoll_is_served_without_a_word()
    {
        await Write("io: epoll");
        using DaemonProcess daemon = await Start(RefusedUring.Words(_directory, Errno.EPERM));
        Assert.Contains(", epoll)", await daemon.Require("version"));
        Assert.DoesNotContain("io_uring", daemon.Log);
        Assert.Equal(0, await daemon.Terminate());
    }

    [Fact]
    public async Task Where_io_uring_is_refused_and_required_the_daemon_does_not_start_and_says_why()
    {
        await Write("io: uring");
        using DaemonProcess daemon = DaemonProcess.Start(
            _directory.At("mirrord.yaml"), "a", _directory.Root, RefusedUring.Words(_directory, Errno.EPERM));
        Assert.Equal(1, await daemon.WaitForExit());
        foreach (string text in (string[])["nodes.a.io is 'uring'", "Operation not permitted", "seccomp", "write 'io: auto'"])
        {
            await Within.Until(() => Task.FromResult(daemon.Log.Contains(text)), $"'{text}' in:\n{daemon.Log}");
        }
    }

    private Task<DaemonProcess> Start(params string[] before) =>
        DaemonProcess.StartAndWait(_directory.At("mirrord.yaml"), "a", _directory.Root, before);

    private async Task Write(string line)
    {
        string file = _directory.At("mirrord.yaml");
        string ports = $"port: {FreePort()}, heartbeat-port: {FreePort()}, call-port: {FreePort()}";
        File.WriteAllText(file, $$"""
            nodes:
              a:
                dedicated: {address: 127.0.0.1, {{ports}}}
                {{line}}
              b:
                dedicated: {address: 127.0.0.2, {{ports}}}
                resources:
                  mail:
                    volumes:
                      data: {file: {{_directory.At("b.img")}} }
            resources:
              mail:
                between: [a, b]
                volumes:
                  data: {file: {{_directory.At("a.img")}} }
                block-devices: none
            """);
        await DaemonProcess.MakeCluster(file, _directory.Root, "a", "b");
        foreach (string node in (string[])["a", "b"])
        {
            using (FileStream disk = File.Create(_directory.At($"{node}.img")))
            {
                disk.SetLength(16 << 20);
            }

            MirrorctlRun created = await MirrorctlRun.Of(
                "create", "mail", "--empty", "--config", file, "--node-name", node,
                "--state-dir", DaemonProcess.StateOf(_directory.Root, node));
            Assert.Equal("", created.Error);
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
