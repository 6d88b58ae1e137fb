using System.Net.Sockets;
using System.Text;
using MirrorD.Io.Linux;

namespace MirrorD.Io.Tests.Linux;

/// <summary>Alone, because the variable belongs to the whole process.</summary>
[Collection("alone")]
public sealed class ServiceManagerNotifyTests : IDisposable
{
    private const string Variable = "NOTIFY_SOCKET";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, null);
        _directory.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_service_manager_hears_each_state(bool isAbstract)
    {
        string name = isAbstract ? $"@mirrord-io-{Guid.NewGuid()}" : _directory.File("notify");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.ReceiveTimeout = 20_000;
        manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name[1..] : name));
        Environment.SetEnvironmentVariable(Variable, name);

        Assert.True(ServiceManagerNotify.Ready());
        Assert.True(ServiceManagerNotify.Status("serves mail\nas primary"));
        Assert.True(ServiceManagerNotify.Alive());
        Assert.True(ServiceManagerNotify.Stopping());

        byte[] buffer = new byte[256];
        string Hear() => Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
        string[] heard = [Hear(), Hear(), Hear(), Hear()];
        Assert.Equal(["READY=1", "STATUS=serves mail as primary", "WATCHDOG=1", "STOPPING=1"], heard);
    }

    [Fact]
    public void Without_a_service_manager_nothing_happens()
    {
        Environment.SetEnvironmentVariable(Variable, null);
        Assert.False(ServiceManagerNotify.Ready());
        Environment.SetEnvironmentVariable(Variable, _directory.File("absent"));
        Assert.False(ServiceManagerNotify.Ready());
    }
}
