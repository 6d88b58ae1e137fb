using System.Text;
using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Testing;

/// <summary>
/// In place of TLS, for worlds without certificates and without chance: a client says its name and a line feed, which is
/// answered by <see cref="Welcome"/>; from then on all bytes of both sides are masked, so that plain ones are of no use. The
/// name "nobody" is refused with an answer, and one that begins with '!' without; more than a line may come in steps.
/// </summary>
/// <param name="loop">The loop of the server.</param>
internal sealed class ToldName(IIoLoop loop) : ILinkSecurity
{
    /// <summary>The server's answer.</summary>
    public static byte[] Welcome { get; } = "welcome\n"u8.ToArray();

    /// <summary>The server's answer to whom it refuses.</summary>
    public static byte[] Alert { get; } = "alert\n"u8.ToArray();

    /// <summary>Masks or unmasks.</summary>
    public static byte[] Masked(ReadOnlySpan<byte> bytes)
    {
        byte[] masked = bytes.ToArray();
        Mask(masked);
        return masked;
    }

    public ILinkHandshake Begin(bool isConnector) => new Handshake(loop);

    private static void Mask(Span<byte> bytes)
    {
        foreach (ref byte each in bytes)
        {
            each ^= 0xa5;
        }
    }

    private sealed class Handshake(IIoLoop loop) : ILinkHandshake
    {
        private readonly List<byte> _said = [];
        private byte[] _toSend = [];
        private bool _isDisposed;

        public ReadOnlySpan<byte> ToSend => _toSend;

        public string? Problem { get; private set; }

        public SecuredLink? Secured { get; private set; }

        public void Step(BufferSlice received, Action done)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _said.AddRange(received.Span);
            int end = _said.IndexOf((byte)'\n');
            if (end >= 0)
            {
                string name = Encoding.ASCII.GetString([.. _said.Take(end)]);
                bool isRefused = name is "nobody" || name.StartsWith('!');
                Problem = isRefused ? "nobody is not allowed" : null;
                _toSend = !isRefused ? Welcome : name[0] == '!' ? [] : Alert;
                Secured = isRefused ? null : new SecuredLink(default, null, new Masks(), _said[(end + 1)..].ToArray())
                {
                    Name = name,
                    KeyHash = $"key of {name}",
                };
            }

            loop.Post(done);
        }

        public void GiveUp()
        {
        }

        public void Dispose() => _isDisposed = true;
    }

    private sealed class Masks : IRecordLayer
    {
        public string? Problem => null;

        public bool IsEnded => false;

        public int MostKeptBytes => 0;

        public int MostSealedBytes(int plainBytes) => plainBytes;

        public int Seal(ReadOnlySpan<byte> plain, BufferSlice into)
        {
            plain.CopyTo(into.Span);
            Mask(into.Span[..plain.Length]);
            return plain.Length;
        }

        public int Open(BufferSlice received, Span<byte> into, out int consumedBytes)
        {
            consumedBytes = Math.Min(received.LengthBytes, into.Length);
            received.Span[..consumedBytes].CopyTo(into);
            Mask(into[..consumedBytes]);
            return consumedBytes;
        }

        public void Dispose()
        {
        }
    }
}
