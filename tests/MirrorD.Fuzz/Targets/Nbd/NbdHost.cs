using System.Buffers.Binary;
using System.Text;
using MirrorD.Engine.Nbd;
using MirrorD.Formats.Nbd;
using MirrorD.Fuzz.Running;
using MirrorD.Io;
using MirrorD.Testing;

namespace MirrorD.Fuzz.Targets.Nbd;

/// <summary>The real server on a simulated host, with four exports: a plain one, one that is read only, a large one, one
/// that is refused.</summary>
internal sealed class NbdHost
{
    public const string Plain = "mail/data";
    public const string ReadOnly = "mail/old";
    public const string Large = "mail/large";
    public const string Refused = "mail/gone";

    private const int MostConversations = 500;
    private const long QuietNs = 2_000_000_000;

    private static readonly UnixEndpoint s_endpoint = new("/run/nbd");
    private static readonly UnixEndpoint s_tlsEndpoint = new("/run/nbds");

    private readonly SimulatedWire _wire = new();
    private readonly BufferPool _pool = new(24, 128 << 10);
    private readonly PlainVolume[] _volumes;
    private readonly NbdServer _server;
    private readonly NbdServer _tlsServer;
    private int _conversations;

    public NbdHost()
    {
        IDisk disk = _wire.World.CreateDisk("a", "disk", 4 << 20, 512);
        IDisk old = _wire.World.CreateDisk("a", "old", 1 << 20, 4096);
        _volumes =
        [
            new PlainVolume(_wire.Loop, disk, _pool, Plain),
            new PlainVolume(_wire.Loop, old, _pool, ReadOnly) { IsReadOnly = true },
            new PlainVolume(_wire.Loop, _wire.World.CreateDisk("a", "large", 96 << 20), _pool, Large),
            new PlainVolume(_wire.Loop, old, _pool, Refused) { Unavailable = "not today" },
        ];
        _server = new NbdServer(_wire.Loop, s_endpoint, _volumes, new NbdServerOptions(), _ => { });
        _server.Start();
        _tlsServer = new NbdServer(
            _wire.Loop, s_tlsEndpoint, _volumes, new NbdServerOptions(), _ => { }, new ToldName(_wire.Loop));
        _tlsServer.Start();
    }

    /// <summary>Another host is due, so that what was written does not pile up.</summary>
    public bool IsUsedUp => _conversations >= MostConversations;

    /// <summary>One client says all this, listens, and leaves; what the server has answered.</summary>
    public byte[] Converse(params byte[][] parts)
    {
        SimulatedWire.Client client = _wire.Connect(s_endpoint);
        Array.ForEach(parts, client.Send);
        Listen(client);
        return Leave(client);
    }

    /// <summary>The same where TLS comes first; each part is said when the one before was answered.</summary>
    public byte[] ConverseTls(params byte[][] parts)
    {
        SimulatedWire.Client client = _wire.Connect(s_tlsEndpoint);
        foreach (byte[] part in parts)
        {
            client.Send(part);
            Listen(client);
        }

        return Leave(client);
    }

    private void Listen(SimulatedWire.Client client)
    {
        _wire.Until(() => client.AllSent || client.IsEnded, "all is sent");
        int heard = -1;
        while (!client.IsEnded && heard != client.Answers.Count)
        {
            heard = client.Answers.Count;
            _wire.World.RunUntil(() => client.IsEnded, QuietNs);
        }
    }

    private byte[] Leave(SimulatedWire.Client client)
    {
        _conversations++;
        client.Close();
        _wire.Until(
            () => _server.Sessions == 0 && _tlsServer is { Sessions: 0, Strangers: 0 } && client.IsIdle, "the session is gone");
        BrokenProperty.Unless(_pool.FreeSlots == _pool.Slots, "no slot is lost");
        BrokenProperty.Unless(_volumes.All(volume => volume.InFlight == 0), "no request is left behind");
        return [.. client.Answers];
    }

    public static byte[] Option(NbdOption option, params byte[] data)
    {
        byte[] bytes = new byte[NbdOptionHeader.SizeBytes + data.Length];
        new NbdOptionHeader(option, (uint)data.Length).Encode(bytes);
        data.CopyTo(bytes, NbdOptionHeader.SizeBytes);
        return bytes;
    }

    public static byte[] Text(string text) =>
        [.. Number((uint)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Number(uint value)
    {
        byte[] bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] Go(string name, params NbdInfoType[] wanted) =>
        [.. Text(name), 0, (byte)wanted.Length, .. wanted.SelectMany(type => new byte[] { 0, (byte)type })];

    public static byte[] Contexts(string name, params string[] queries) =>
        [.. Text(name), .. Number((uint)queries.Length), .. queries.SelectMany(Text)];
}
