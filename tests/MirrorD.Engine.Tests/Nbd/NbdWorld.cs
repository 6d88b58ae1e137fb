using MirrorD.Engine.Nbd;
using MirrorD.Io;
using MirrorD.Io.Simulated;
using MirrorD.Testing;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>A server with one or more simulated disks, and clients, in one simulated world.</summary>
public sealed class NbdWorld : IDisposable
{
    public const long DiskBytes = 64L << 20;
    public const long Second = 1_000_000_000;
    private readonly SimulatedLoop _clients;
    private readonly List<NbdWire> _wires = [];
    private bool _isOff;

    public NbdWorld(
        NbdServerOptions? options = null, int slots = 16, int slotBytes = 128 << 10, int exports = 1,
        int blockBytes = 512, ulong seed = 1, long diskBytes = DiskBytes, bool withTls = false)
    {
        World = new SimulatedWorld(seed);
        Loop = World.CreateLoop("a");
        _clients = World.CreateLoop("a");
        Pool = new BufferPool(slots, slotBytes);
        for (int i = 0; i < exports; i++)
        {
            Disks.Add(World.CreateDisk("a", $"disk{i}", diskBytes, blockBytes));
            Volumes.Add(new DiskFrontend(Loop, Disks[i], Pool, exports == 1 ? "mail/data" : $"mail/data{i}"));
        }

        Server = new NbdServer(Loop, Endpoint, Volumes, options ?? new NbdServerOptions(), Events.Add,
            withTls ? new ToldName(Loop) : null);
        Server.Start();
    }

    public static UnixEndpoint Endpoint { get; } = new("/run/mirrord/data.nbd");

    public SimulatedWorld World { get; }

    public SimulatedLoop Loop { get; }

    public BufferPool Pool { get; }

    public List<SimulatedDisk> Disks { get; } = [];

    public List<DiskFrontend> Volumes { get; } = [];

    public NbdServer Server { get; }

    public List<NbdEvent> Events { get; } = [];

    public SimulatedDisk Disk => Disks[0];

    public DiskFrontend Volume => Volumes[0];

    /// <summary>A raw connection, with nothing said yet.</summary>
    public NbdWire Connect()
    {
        var wire = new NbdWire(World, _clients, Endpoint);
        _wires.Add(wire);
        return wire;
    }

    /// <summary>A connection that the server is handed without a handshake, as the kernel's.</summary>
    /// <param name="ended">Called when the session is over.</param>
    public NbdClient Adopt(Action? ended = null)
    {
        var endpoint = new UnixEndpoint($"/run/kernel{_wires.Count}");
        IListener listener = Loop.Listen(endpoint);
        Loop.Accept(listener, new IoOperation(accept =>
        {
            listener.Close();
            Server.Adopt(accept.Connection!, ended ?? (() => { }));
        }));
        var wire = new NbdWire(World, _clients, endpoint);
        _wires.Add(wire);
        Until(() => Server.Sessions > 0, "the connection is adopted");
        return new NbdClient(wire);
    }

    /// <summary>A client that opened the export.</summary>
    public NbdClient Open(bool structured = true, bool allocation = false, string name = "")
    {
        var client = new NbdClient(Connect());
        client.Greet();
        client.Open(structured, allocation, name);
        return client;
    }

    public void Until(Func<bool> condition, string what, long limitNs = 120 * Second) =>
        Assert.True(World.RunUntil(condition, limitNs), $"waited {limitNs / Second} s (virtual) for: {what}");

    /// <summary>Lets everything happen that happens within this time.</summary>
    public void Pass(long ns) => World.RunUntil(() => false, ns);

    /// <summary>Nothing may be left of clients that are gone.</summary>
    public void UntilEmpty()
    {
        Until(() => Server is { Sessions: 0, Strangers: 0 }, "no session is left");
        Assert.Equal(Pool.Slots, Pool.FreeSlots);
        Assert.Equal(0, Volumes.Sum(volume => volume.InFlight));
    }

    public byte[] DiskBytesAt(long offset, int length)
    {
        byte[] bytes = new byte[length];
        Disk.Peek(offset, bytes);
        return bytes;
    }

    /// <summary>Server and clients are gone at once; the disks keep what was durable.</summary>
    public void CutPower()
    {
        World.PowerCut("a");
        _isOff = true;
    }

    public void Dispose()
    {
        if (_isOff)
        {
            Pool.Dispose();
            return;
        }

        foreach (NbdWire wire in _wires)
        {
            wire.Close();
        }

        Volumes.ForEach(volume => volume.Release());
        bool stopped = false;
        Server.Stop("end of the test", () => stopped = true);
        Until(() => stopped, "the server has stopped");
        Assert.Equal(Pool.Slots, Pool.FreeSlots);
        Pool.Dispose();
    }
}
