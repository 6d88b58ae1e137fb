using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace MirrorD.Formats.Peer;

/// <summary>
/// What both sides derive from the shared key and the two hellos of one connection; the connecting side's
/// hello comes first. Each value is HMAC-SHA-256 under the shared key of a label and both hellos, so that
/// nothing of one connection fits another.
/// </summary>
public sealed class LinkKeys
{
    /// <summary>Bytes of the shared key, of a proof and of the MAC key.</summary>
    public const int KeyBytes = 32;

    /// <summary>Derives everything.</summary>
    public LinkKeys(
        ReadOnlySpan<byte> sharedKey, ReadOnlySpan<byte> connectorHello, ReadOnlySpan<byte> listenerHello)
    {
        ConnectorProof = Derive(sharedKey, "proof of the connector", connectorHello, listenerHello);
        ListenerProof = Derive(sharedKey, "proof of the listener", connectorHello, listenerHello);
        MacKey = Derive(sharedKey, "message authentication", connectorHello, listenerHello);
        RangeHashKey = Derive(sharedKey, "range hashes", connectorHello, listenerHello);
        byte[] headers = Derive(sharedKey, "header tags", connectorHello, listenerHello);
        FromConnector = SipKey.From(headers);
        FromListener = SipKey.From(headers.AsSpan(16));
        byte[] session = Derive(sharedKey, "session", connectorHello, listenerHello);

        // Zero means "never joined"; one in 2^64 connections would get it.
        Session = new SessionId(Math.Max(1, BinaryPrimitives.ReadUInt64LittleEndian(session)));
    }

    /// <summary>What the connecting side sends to show that it has the key.</summary>
    public byte[] ConnectorProof { get; }

    /// <summary>What the listening side sends to show that it has the key.</summary>
    public byte[] ListenerProof { get; }

    /// <summary>Key of the message MACs.</summary>
    public byte[] MacKey { get; }

    /// <summary>Key of the hashes of ranges.</summary>
    public byte[] RangeHashKey { get; }

    /// <summary>Key of header tags sent by the connecting side.</summary>
    public SipKey FromConnector { get; }

    /// <summary>Key of header tags sent by the listening side.</summary>
    public SipKey FromListener { get; }

    /// <summary>The session that this connection joins.</summary>
    public SessionId Session { get; }

    /// <summary>MAC of a control message: covers the number of its frame, so it can't be replayed.</summary>
    public void ComputeMac(ReadOnlySpan<byte> message, ulong frameNumber, bool fromConnector, Span<byte> mac)
    {
        byte[] input = new byte[message.Length + 9];
        message.CopyTo(input);
        BinaryPrimitives.WriteUInt64LittleEndian(input.AsSpan(message.Length), frameNumber);
        input[^1] = fromConnector ? (byte)1 : (byte)2;
        Span<byte> full = stackalloc byte[32];
        HMACSHA256.HashData(MacKey, input, full);
        full[..PeerMessageCodec.MacBytes].CopyTo(mac);
    }

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
        byte[] text = Encoding.ASCII.GetBytes("mirrord link 1: " + label);
        byte[] input = [.. text, .. connectorHello, .. listenerHello];
        return HMACSHA256.HashData(key, input);
    }
}
