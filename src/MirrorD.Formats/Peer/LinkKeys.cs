using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace MirrorD.Formats.Peer;

/// <summary>
/// What both sides derive from the secret of one connection (docs/internals/peer-protocol.md) and its two hellos; the
/// connecting side's hello comes first. Each value is HMAC-SHA-256 under the secret of a label and both hellos, so that
/// nothing of one connection fits another.
/// </summary>
public sealed class LinkKeys
{
    /// <summary>Bytes of the secret and of a proof.</summary>
    public const int KeyBytes = 32;

    /// <summary>Derives everything.</summary>
    public LinkKeys(
        ReadOnlySpan<byte> secret, ReadOnlySpan<byte> connectorHello, ReadOnlySpan<byte> listenerHello)
    {
        ConnectorProof = Derive(secret, "proof of the connector", connectorHello, listenerHello);
        ListenerProof = Derive(secret, "proof of the listener", connectorHello, listenerHello);
        byte[] payloads = Derive(secret, "payload tags", connectorHello, listenerHello);
        PayloadsFromConnector = payloads[..PayloadSealer.KeyBytes];
        PayloadsFromListener = payloads[PayloadSealer.KeyBytes..];
        RangeHashKey = Derive(secret, "range hashes", connectorHello, listenerHello);
        byte[] headers = Derive(secret, "header tags", connectorHello, listenerHello);
        FromConnector = SipKey.From(headers);
        FromListener = SipKey.From(headers.AsSpan(16));
        byte[] session = Derive(secret, "session", connectorHello, listenerHello);

        // Zero means "never joined"; one in 2^64 connections would get it.
        Session = new SessionId(Math.Max(1, BinaryPrimitives.ReadUInt64LittleEndian(session)));
    }

    /// <summary>What the connecting side sends to show that it has the secret.</summary>
    public byte[] ConnectorProof { get; }

    /// <summary>What the listening side sends to show that it has the secret.</summary>
    public byte[] ListenerProof { get; }

    /// <summary>Key of payload tags sent by the connecting side.</summary>
    public byte[] PayloadsFromConnector { get; }

    /// <summary>Key of payload tags sent by the listening side.</summary>
    public byte[] PayloadsFromListener { get; }

    /// <summary>Key of the hashes of ranges.</summary>
    public byte[] RangeHashKey { get; }

    /// <summary>Key of header tags sent by the connecting side.</summary>
    public SipKey FromConnector { get; }

    /// <summary>Key of header tags sent by the listening side.</summary>
    public SipKey FromListener { get; }

    /// <summary>The session that this connection joins.</summary>
    public SessionId Session { get; }

    /// <summary>
    /// Hash of a range's data for the question with this sequence: HMAC-SHA-256 of the sequence and the data's SHA-256. Who
    /// has no key can neither make one nor use an older one, so that nobody else can call a range equal.
    /// </summary>
    public RangeHash HashOf(ReadOnlySpan<byte> data, long sequence)
    {
        Span<byte> input = stackalloc byte[8 + SHA256.HashSizeInBytes];
        BinaryPrimitives.WriteInt64LittleEndian(input, sequence);
        SHA256.HashData(data, input[8..]);
        Span<byte> hash = stackalloc byte[RangeHash.Bytes];
        HMACSHA256.HashData(RangeHashKey, input, hash);
        return RangeHash.Read(hash);
    }

    private static byte[] Derive(
        ReadOnlySpan<byte> key, string label, ReadOnlySpan<byte> connectorHello,
        ReadOnlySpan<byte> listenerHello)
    {
        byte[] text = Encoding.ASCII.GetBytes("mirrord link 2: " + label);
        byte[] input = [.. text, .. connectorHello, .. listenerHello];
        return HMACSHA256.HashData(key, input);
    }
}
