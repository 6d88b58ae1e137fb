using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Testing;

/// <summary>
/// Security of links whose both ends have the secret already: nothing is left to be said. For worlds without certificates and
/// without chance; what follows is as in production with encryption off.
/// </summary>
internal sealed class SharedSecret(ReadOnlyMemory<byte> secret) : ILinkSecurity
{
    public ILinkHandshake Begin(bool isConnector) => new Handshake(secret);

    private sealed class Handshake(ReadOnlyMemory<byte> secret) : ILinkHandshake
    {
        public ReadOnlySpan<byte> ToSend => [];

        public string? Problem => null;

        public SecuredLink? Secured { get; } = new(secret, null, null, default);

        public void Step(BufferSlice received, Action done) => throw new InvalidOperationException("It has ended.");

        public void Dispose()
        {
        }
    }
}
