using System.Buffers.Binary;
using System.Text;
using MirrorD.Engine.Link;
using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Fuzz.Running;
using MirrorD.Io;
using MirrorD.Testing;

namespace MirrorD.Fuzz.Targets.Peer;

/// <summary>
/// What somebody sends who connects to the link's port: perhaps a handshake (<see cref="ScriptedHandshake"/>, in the place of
/// TLS, whose bytes nobody can make beforehand), a hello, then a proof. The whole exchange runs, with the real
/// state machine on a simulated connection, this side's challenge being always the same.
/// </summary>
internal sealed class PeerHelloTarget : FuzzTarget
{
    private static readonly byte[] s_key = Bytes.Counting(LinkKeys.KeyBytes);
    private static readonly PeerHello s_own = Hello(2, "mail");

    private SimulatedWire _wire = new();

    public override string Name => "peer-hello";

    public override IReadOnlyList<string> Files =>
        ["src/MirrorD.Formats/Peer/PeerHello.cs", "src/MirrorD.Engine/Link/LinkAuthentication.cs"];

    public override IReadOnlyList<byte[]> Words => ["MIRH"u8.ToArray(), "mail"u8.ToArray()];

    public override IReadOnlyList<int> Fields => [0, 1, 2, 3, 4, 6, 8, 24, 56, 60, 120, 124, 128];

    public override int MostBytes => 400;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return FixUp(Bytes.Padded(Encoded(Hello(1, "mail")), PeerHello.Bytes + LinkKeys.KeyBytes));
        yield return [.. Encoded(Hello(1, "mail")), .. new byte[LinkKeys.KeyBytes]];
        foreach (string script in new[] { "He", "HE", "Hsse", "H.p", "Hq" })
        {
            byte[] rest = [.. Encoded(Hello(1, "mail")), .. new byte[LinkKeys.KeyBytes]];
            yield return FixUp([.. Encoding.ASCII.GetBytes(script), .. rest]);
        }

        yield return [.. "HE"u8, .. Encoded(Hello(3, "mail"))];
        yield return [(byte)'H', .. new byte[LinkAuthentication.MostHandshakeBytes + 1]];
        yield return Encoded(Hello(1, "web"));
        yield return Encoded(Hello(1, "mail") with { Encrypts = true });
        yield return Encoded(Hello(1, "mail"))[..50];
        yield return Encoded(Hello(1, new string('x', 64)));
    }

    public override byte[] FixUp(byte[] input)
    {
        Span<byte> rest = input.AsSpan(ScriptedHandshake.LengthOf(input));
        if (rest.Length >= PeerHello.Bytes)
        {
            Span<byte> hello = rest[..PeerHello.Bytes];
            BinaryPrimitives.WriteUInt32LittleEndian(hello[124..], Crc32C.Compute(hello[..124]));
            byte[] proof = new LinkKeys(s_key, hello, Encoded(s_own)).ConnectorProof;
            proof.AsSpan(0, Math.Min(proof.Length, rest.Length - PeerHello.Bytes)).CopyTo(rest[PeerHello.Bytes..]);
        }

        return input;
    }

    public override void Run(byte[] input)
    {
        CheckHello(input.AsSpan(ScriptedHandshake.LengthOf(input)));
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

    private static void CheckHello(ReadOnlySpan<byte> input)
    {
        if (input.Length < PeerHello.Bytes)
        {
            return;
        }

        ReadOnlySpan<byte> bytes = input[..PeerHello.Bytes];
        PeerHello? hello = PeerHello.Decode(bytes, out string error);
        BrokenProperty.Unless(hello is null != (error.Length == 0), "a hello, or what is wrong with it");
        if (hello is null)
        {
            return;
        }

        // Versions, and what stands behind the end of the name, are not kept; a name that is no UTF-8 becomes longer.
        byte[] again = Encoded(hello with { Resource = "" });
        BrokenProperty.UnlessSame(bytes[8..56], again.AsSpan(8, 48));
        BrokenProperty.UnlessSame(bytes[120..124], again.AsSpan(120, 4));
        BrokenProperty.Unless(hello.Resource.Length <= 64 && !hello.Resource.Contains('\0'), "the name is one");
    }

    private void Exchange(byte[] input)
    {
        (IConnection server, SimulatedWire.Client client) = _wire.Connect();
        ILinkSecurity security = input.AsSpan().StartsWith("H"u8)
            ? new ScriptedHandshake.Security(_wire.Loop, s_key, Node(1)) : new SharedSecret(s_key);
        (bool ended, AuthenticatedLink? link, string failure) = (false, null, "");
        _ = new LinkAuthentication(
            _wire.Loop, server, isConnector: false, s_own, security, 3_000_000_000, (_, got, text) =>
                (ended, link, failure) = (true, got, text));
        client.Send(input);
        client.CloseWhenSent();
        _wire.Until(() => ended, "the exchange has ended");
        BrokenProperty.Unless(link is null != (failure.Length == 0), "a link, or what is wrong");
        if (link is not null)
        {
            ReadOnlySpan<byte> rest = input.AsSpan(ScriptedHandshake.LengthOf(input));
            ReadOnlySpan<byte> proof = rest.Slice(PeerHello.Bytes, LinkKeys.KeyBytes);
            byte[] right = new LinkKeys(s_key, rest[..PeerHello.Bytes], Encoded(s_own)).ConnectorProof;
            BrokenProperty.Unless(proof.SequenceEqual(right), "nobody gets in without the right proof");
        }

        server.Close();
        link?.Stream.Dispose();
        client.Close();
        _wire.Until(() => client.IsIdle, "the connection is gone");
    }

    private static PeerHello Hello(int node, string resource) => new(
        Node(node), Bytes.Counting(PeerHello.ChallengeBytes), resource, Encrypts: false);

    private static NodeId Node(int number) => new(new Guid(number, 0, 0, new byte[8]));

    private static byte[] Encoded(PeerHello hello)
    {
        byte[] bytes = new byte[PeerHello.Bytes];
        hello.Encode(bytes);
        return bytes;
    }
}
