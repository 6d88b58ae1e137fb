using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.Versioning;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Io.Tests.Linux;

/// <summary>Who connected a unix socket.</summary>
[SupportedOSPlatform("linux")]
public sealed class PeerCredentialsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_process_is_known_by_user_process_and_groups()
    {
        using Socket listener = Listen();
        using var caller = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        caller.Connect(listener.LocalEndPoint!);
        using Socket accepted = listener.Accept();

        var peer = PeerCredentials.Of((int)accepted.Handle);

        Assert.Equal(Environment.ProcessId, peer.ProcessId);
        Assert.Equal(Own("Uid:")[1], peer.UserId);
        Assert.Equal([Own("Gid:")[1], .. Own("Groups:")], peer.Groups);
    }

    [RootTheory("setpriv", "perl")]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    public void Another_users_process_is_known_with_all_its_groups(int count)
    {
        uint[] groups = [.. Enumerable.Range(20_000, count).Select(group => (uint)group)];
        string socket = _directory.File("socket");
        using Socket listener = Listen();
        const string connect = "socket(S, AF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($ARGV[0])) or die $!";
        using Process caller = Process.Start("setpriv",
        [
            "--reuid", "4711", "--regid", "4712",
            .. count == 0 ? ["--clear-groups"] : (string[])["--groups", string.Join(',', groups)],
            "--", "perl", "-MSocket", "-e", connect, socket,
        ]);
        Assert.True(caller.WaitForExit(20_000), "perl did not connect within 20 s");
        Assert.Equal(0, caller.ExitCode);

        // What counts is who it was when it connected; by now it has ended.
        using Socket accepted = listener.Accept();
        var peer = PeerCredentials.Of((int)accepted.Handle);

        Assert.Equal((4711u, caller.Id), (peer.UserId, peer.ProcessId));
        Assert.Equal([4712u, .. groups], peer.Groups);
    }

    [Fact]
    public void A_socket_that_has_no_peer_is_an_error_with_its_cause()
    {
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

        IOException failed = Assert.Throws<IOException>(() => PeerCredentials.Of((int)udp.Handle));
        Assert.StartsWith("The kernel does not say who connected: ", failed.Message);
    }

    private static uint[] Own(string line) =>
    [
        .. File.ReadLines("/proc/self/status").Single(text => text.StartsWith(line, StringComparison.Ordinal))[line.Length..]
            .Split((char[])['\t', ' '], StringSplitOptions.RemoveEmptyEntries).Select(uint.Parse),
    ];

    private Socket Listen()
    {
        string path = _directory.File("socket");
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        File.SetUnixFileMode(path, (UnixFileMode)0x1ff); // 0777
        File.SetUnixFileMode(Path.GetDirectoryName(path)!, (UnixFileMode)0x1ed); // 0755
        return listener;
    }
}
