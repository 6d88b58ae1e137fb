using System.Net.Sockets;
using MirrorD.Io.Linux;

namespace MirrorD.Io.Tests.Linux;

public sealed class UnixSocketTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly LoopDriver _driver = new();
    private readonly UnixEndpoint _endpoint;

    public UnixSocketTests() => _endpoint = new UnixEndpoint(_directory.File("socket"));

    private LinuxLoop Loop => _driver.Loop;

    public void Dispose()
    {
        _driver.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Owner_and_group_may_connect_and_nobody_else()
    {
        IListener listener = Loop.Listen(_endpoint);
        Assert.Equal("660", Command.Run("stat", "--format=%a", _endpoint.Path).Trim());
        listener.Close();
    }

    [Fact]
    public void A_socket_that_a_dead_process_left_is_replaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(_endpoint.Path));
            dead.Listen();
            File.Move(_endpoint.Path, _endpoint.Path + ".kept"); // Closing would remove it.
        }

        File.Move(_endpoint.Path + ".kept", _endpoint.Path);
        IListener listener = Loop.Listen(_endpoint);
        (IConnection client, IConnection server) = _driver.Connect(listener);
        Assert.Equal(_endpoint.Path, client.Name);
        Assert.Contains(_endpoint.Path, server.Name, StringComparison.Ordinal);
        client.Close();
        server.Close();
        listener.Close();
    }

    [Fact]
    public void A_live_listener_is_never_replaced_even_when_its_queue_is_full()
    {
        using var live = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        live.Bind(new UnixDomainSocketEndPoint(_endpoint.Path));
        live.Listen(0);
        for (int i = 0; i < 3; i++)
        {
            IOException refusal = Assert.Throws<IOException>(() => Loop.Listen(_endpoint));
            Assert.Contains("another process listens", refusal.Message, StringComparison.Ordinal);
        }

        Assert.True(File.Exists(_endpoint.Path));
    }

    [Fact]
    public void A_file_that_is_no_socket_is_left_alone()
    {
        File.WriteAllText(_endpoint.Path, "precious");
        IOException refusal = Assert.Throws<IOException>(() => Loop.Listen(_endpoint));
        Assert.Contains("not a socket", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(_endpoint.Path));
    }

    [Fact]
    public void Closing_removes_the_own_file_but_not_that_of_a_successor()
    {
        IListener listener = Loop.Listen(_endpoint);
        listener.Close();
        Assert.False(File.Exists(_endpoint.Path));

        IListener first = Loop.Listen(_endpoint);
        File.Delete(_endpoint.Path);
        IListener second = Loop.Listen(_endpoint);
        first.Close();
        Assert.True(File.Exists(_endpoint.Path));
        second.Close();
    }

    [Fact]
    public void A_path_that_is_too_long_is_refused_with_its_length()
    {
        var endpoint = new UnixEndpoint(_directory.File(new string('x', 108)));
        IOException refusal = Assert.Throws<IOException>(() => Loop.Listen(endpoint));
        Assert.Contains("107", refusal.Message, StringComparison.Ordinal);
        int result = _driver.Do(operation => Loop.Connect(endpoint, 1_000_000_000, operation));
        Assert.Equal(-LinuxError.ENAMETOOLONG, result);
    }
}
