using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Engine.Link;
using MirrorD.Formats.Peer;
using MirrorD.Io;
using MirrorD.Io.Linux.Tls;

namespace MirrorD.Engine.Tests.Link;

/// <summary>Real TLS between two ends that have the same certificate; who the other one is nobody asks.</summary>
internal sealed class SelfSignedTls : IDisposable
{
    private readonly TlsContext _context;

    public SelfSignedTls()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=t", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        _context = new TlsContext(certificate.RawData, key.ExportECPrivateKey());
    }

    /// <summary>Security of the links of a loop.</summary>
    public ILinkSecurity On(IIoLoop loop) => new Security(_context, loop);

    public void Dispose() => _context.Dispose();

    private sealed class Security(TlsContext context, IIoLoop loop) : ILinkSecurity
    {
        public ILinkHandshake Begin(bool isConnector) => new Handshake(
            new TlsSession(context, isConnector, _ => CertificateVerdict.Accepted), loop);
    }

    private sealed class Handshake(TlsSession session, IIoLoop loop) : ILinkHandshake
    {
        public ReadOnlySpan<byte> ToSend => session.ToSend;

        public string? Problem => session.Problem?.ToString();

        public SecuredLink? Secured { get; private set; }

        public void Step(BufferSlice received, Action done)
        {
            session.Step(received.Span);
            if (session.IsSecure)
            {
                byte[] secret = new byte[LinkKeys.KeyBytes];
                session.Export("EXPORTER-test"u8, secret);
                Secured = new SecuredLink(secret, null, new Records(session), session.Unread.ToArray());
            }

            loop.Post(done);
        }

        public void GiveUp()
        {
        }

        public void Dispose() => session.Dispose();
    }

    private sealed class Records(TlsSession session) : IRecordLayer
    {
        public string? Problem => session.Problem?.ToString();

        public bool IsEnded => session.IsEnded;

        public int MostKeptBytes => TlsSession.MostRecordBytes;

        public int MostSealedBytes(int plainBytes) => TlsSession.MostSealedBytes(plainBytes);

        public int Seal(ReadOnlySpan<byte> plain, BufferSlice into) =>
            session.Seal(plain, into.Address, into.LengthBytes);

        public int Open(BufferSlice received, Span<byte> into, out int consumedBytes) =>
            session.Open(received.Address, received.LengthBytes, into, out consumedBytes);

        public void Dispose() => session.Dispose();
    }
}
