using MirrorD.Engine.Link;
using MirrorD.Formats;
using MirrorD.Io;

namespace MirrorD.Fuzz.Targets.Peer;

/// <summary>
/// A handshake that does what the other side's bytes say, one after the other: s answers, e ends it, E ends it and knows the
/// peer, p refuses and says so, q refuses; others are taken. The first byte is an H, and counts for nothing.
/// </summary>
internal sealed class ScriptedHandshake(IIoLoop loop, byte[] secret, NodeId peer) : ILinkHandshake
{
    private byte[] _toSend = [];

    public ReadOnlySpan<byte> ToSend => _toSend;

    public string? Problem { get; private set; }

    public SecuredLink? Secured { get; private set; }

    /// <summary>Bytes of the handshake that an input begins with.</summary>
    public static int LengthOf(ReadOnlySpan<byte> input)
    {
        int end = input.IndexOfAny("eEpq"u8);
        return !input.StartsWith("H"u8) ? 0 : end < 0 ? input.Length : end + 1;
    }

    public void Step(BufferSlice received, Action done)
    {
        ReadOnlySpan<byte> bytes = received.Span;
        _toSend = [];
        for (int i = 0; i < bytes.Length && Secured is null && Problem is null; i++)
        {
            _toSend = bytes[i] is (byte)'s' or (byte)'p' ? [.. _toSend, .. "answer"u8] : _toSend;
            Problem = bytes[i] is (byte)'p' or (byte)'q' ? "refused" : null;
            Secured = bytes[i] switch
            {
                (byte)'e' => new SecuredLink(secret, null, null, bytes[(i + 1)..].ToArray()),
                (byte)'E' => new SecuredLink(secret, peer, null, bytes[(i + 1)..].ToArray()),
                _ => null,
            };
        }

        loop.Post(done);
    }

    public void GiveUp()
    {
    }

    public void Dispose()
    {
    }

    /// <summary>Begins such handshakes.</summary>
    internal sealed class Security(IIoLoop loop, byte[] secret, NodeId peer) : ILinkSecurity
    {
        public ILinkHandshake Begin(bool isConnector) => new ScriptedHandshake(loop, secret, peer);
    }
}
