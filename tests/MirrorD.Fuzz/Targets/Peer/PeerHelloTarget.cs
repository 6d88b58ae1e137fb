using System.Buffers.Binary;
using MirrorD.Engine.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Fuzz.Running;
using MirrorD.Io;

namespace MirrorD.Fuzz.Targets.Peer;

/// <summary>
/// What somebody sends who connects to the link's port: a hello, then a proof. The whole exchange runs, with the real
/// state machine on a simulated connection, this side's challenge being always the same.
/// </summary>
internal sealed class PeerHelloTarget : FuzzTarget
{
    private static readonly byte[] s_key = Bytes.Counting(LinkKeys.KeyBytes);
    private static readonly PeerHello s_own = Hello(2, "mail");

    private SimulatedWire _wire = new();

    public override string Name => "peer-hello";

    public override IReadOnlyList<string> Files =>
        ["src/MirrorD.Formats/Peer/PeerHello.cs", "src/MirrorD.Engine/Replication/LinkAuthentication.cs"];

    public override IReadOnlyList<byte[]> Words => ["MIRH"u8.ToArray(), "mail"u8.ToArray()];

    public override IReadOnlyList<int> Fields => [0, 4, 6, 8, 24, 56, 60, 120, 124, 128];

    public override int MostBytes => 400;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return FixUp(Bytes.Padded(Encoded(Hello(1, "mail")), PeerHello.Bytes + LinkKeys.KeyBytes));
        yield return [.. Encoded(Hello(1, "mail")), .. new byte[LinkKeys.KeyBytes]];
        yield return Encoded(Hello(1, "web"));
        yield return Encoded(Hello(1, "mail"))[..50];
        yield return Encoded(Hello(1, new string('x', 64)));
    }

    public override byte[] FixUp(byte[] input)
    {
        if (input.Length >= PeerHello.Bytes)
        {
            Span<byte> hello = input.AsSpan(0, PeerHello.Bytes);
            BinaryPrimitives.WriteUInt32LittleEndian(hello[124..], Crc32C.Compute(hello[..124]));
            byte[] proof = new LinkKeys(s_key, hello, Encoded(s_own)).ConnectorProof;
            proof.AsSpan(0, Math.Min(proof.Length, input.Length - PeerHello.Bytes)).CopyTo(input.AsSpan(PeerHello.Bytes));
        }

        return input;
    }

    public override void Run(byte[] input)
    {
        CheckHello(input);
        try
        {
            Exchange(input);
        }
        catch
        {
            _wire = new SimulatedWire();
            throw;
        }
    }

    private static void CheckHello(byte[] input)
    {
        if (input.Length < PeerHello.Bytes)
        {
            return;
        }

        ReadOnlySpan<byte> bytes = input.AsSpan(0, PeerHello.Bytes);
        PeerHello? hello = PeerHello.Decode(bytes, out string error);
        BrokenProperty.Unless(hello is null != (error.Length == 0), "a hello, or what is wrong with it");
        if (hello is null)
        {
            return;
        }

        // Versions, and what stands behind the end of the name, are not kept; a name that is no UTF-8 becomes longer.
        byte[] again = Encoded(hello with { Resource = "" });
        BrokenProperty.UnlessSame(bytes[8..56], again.AsSpan(8, 48));
        BrokenProperty.Unless(bytes[120..124].IndexOfAnyExcept((byte)0) < 0, "reserved bytes are zero");
        BrokenProperty.Unless(hello.Resource.Length <= 64 && !hello.Resource.Contains('\0'), "the name is one");
    }

    private void Exchange(byte[] input)
    {
        (IConnection server, SimulatedWire.Client client) = _wire.Connect();
        (bool ended, LinkKeys? keys, string failure) = (false, null, "");
        _ = new LinkAuthentication(
            _wire.Loop, server, isConnector: false, s_own, s_key, 3_000_000_000, (_, got, _, text) =>
                (ended, keys, failure) = (true, got, text));
        client.Send(input);
        client.CloseWhenSent();
        _wire.Until(() => ended, "the exchange has ended");
        BrokenProperty.Unless(keys is null != (failure.Length == 0), "keys, or what is wrong");
        if (keys is not null)
        {
            ReadOnlySpan<byte> proof = input.AsSpan(PeerHello.Bytes, LinkKeys.KeyBytes);
            byte[] right = new LinkKeys(s_key, input.AsSpan(0, PeerHello.Bytes), Encoded(s_own)).ConnectorProof;
            BrokenProperty.Unless(proof.SequenceEqual(right), "nobody gets in without the right proof");
        }

        server.Close();
        client.Close();
        _wire.Until(() => client.IsIdle, "the connection is gone");
    }

    private static PeerHello Hello(int node, string resource) => new(
        new NodeId(new Guid(node, 0, 0, new byte[8])), Bytes.Counting(PeerHello.ChallengeBytes), resource);

    private static byte[] Encoded(PeerHello hello)
    {
        byte[] bytes = new byte[PeerHello.Bytes];
        hello.Encode(bytes);
        return bytes;
    }
}
