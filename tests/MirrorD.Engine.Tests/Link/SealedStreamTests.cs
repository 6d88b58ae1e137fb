using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Engine.Link;
using MirrorD.Io;
using MirrorD.Io.Linux.Tls;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Link;

/// <summary>Real TLS sessions over a simulated connection whose bytes arrive in pieces that a test chooses.</summary>
public sealed class SealedStreamTests
{
    private const long SecondNs = 1_000_000_000;

    private readonly SimulatedWorld _world = new(1);
    private readonly SimulatedLoop _loop;
    private readonly IoBuffer _sent = new(256 * 1024);
    private readonly IoBuffer _got = new(256 * 1024);

    public SealedStreamTests()
    {
        _world.AddAddress("host", IPAddress.Parse("10.0.0.1"));
        _loop = _world.CreateLoop("host");
        RandomNumberGenerator.Fill(_sent.Span);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(16406)]
    [InlineData(20_000)]
    [InlineData(200_000)]
    public void What_is_wanted_arrives_without_a_further_byte_however_it_is_cut(int pieceBytes)
    {
        (TlsSession client, TlsSession server) = Sessions();
        (IConnection near, IConnection far) = Connect();
        using var stream = new SealedStream(_loop, far, new Records(server), default);
        int[] lengths = [64, 4160, 16384, 16385, 40_000, 131_136];
        foreach (int length in pieceBytes == 1 ? lengths[..2] : lengths)
        {
            // Whatever a record is cut into: nothing comes after it that could complete a wait for more.
            int sealedBytes = client.Seal(_sent.Span[..length], _wire.Address, _wire.LengthBytes);
            int received = -1;
            stream.Receive(_got.Slice(0, length), length, new IoOperation(done => received = done.Result));
            for (int at = 0; at < sealedBytes; at += pieceBytes)
            {
                bool sent = false;
                _loop.Send(near, _wire.Slice(at, Math.Min(pieceBytes, sealedBytes - at)), new IoOperation(_ => sent = true));
                Until("a piece is sent", () => sent);
                Quiet();
            }

            Until($"{length} bytes", () => received >= 0);
            Assert.Equal(length, received);
            Assert.True(_got.Span[..length].SequenceEqual(_sent.Span[..length]));
        }
    }

    [Fact]
    public void A_small_minimum_takes_what_is_there_and_the_rest_stays()
    {
        (TlsSession client, TlsSession server) = Sessions();
        (IConnection near, IConnection far) = Connect();
        using var here = new SealedStream(_loop, near, new Records(client), default);
        using var there = new SealedStream(_loop, far, new Records(server), default);
        here.Send(_sent.Slice(0, 100_000), new IoOperation(_ => { }));
        int taken = 0;
        while (taken < 100_000)
        {
            int received = -1;
            there.Receive(_got.Slice(taken, Math.Min(777, 100_000 - taken)), 1, new IoOperation(done => received = done.Result));
            Until("some bytes", () => received >= 0);
            Assert.InRange(received, 1, 777);
            taken += received;
        }

        Assert.True(_got.Span[..100_000].SequenceEqual(_sent.Span[..100_000]));
    }

    [Fact]
    public void Encryption_ends_at_the_byte_where_both_say_so()
    {
        (TlsSession client, TlsSession server) = Sessions();
        (IConnection near, IConnection far) = Connect();
        var here = new SealedStream(_loop, near, new Records(client), default);
        var there = new SealedStream(_loop, far, new Records(server), default);
        bool sent = false;
        here.Send(_sent.Slice(0, 32), new IoOperation(_ => sent = true));
        Until("the last sealed bytes are sent", () => sent);
        LinkStream plain = here.Unsealed();
        Assert.False(plain.IsEncrypted);
        plain.Send(_sent.Slice(32, 100), new IoOperation(_ => { }));
        Quiet();

        int received = -1;
        there.Receive(_got.Slice(0, 32), 32, new IoOperation(done => received = done.Result));
        Until("the sealed bytes", () => received == 32);
        received = -1;
        LinkStream rest = there.Unsealed();
        rest.Receive(_got.Slice(32, 100), 100, new IoOperation(done => received = done.Result));
        Until("the plain bytes", () => received == 100);
        Assert.True(_got.Span[..132].SequenceEqual(_sent.Span[..132]));
    }

    [Fact]
    public void A_changed_byte_ends_it_with_a_cause()
    {
        (TlsSession client, TlsSession server) = Sessions();
        (IConnection near, IConnection far) = Connect();
        using var stream = new SealedStream(_loop, far, new Records(server), default);
        int length = client.Seal(_sent.Span[..1000], _wire.Address, _wire.LengthBytes);
        _wire.Span[500] ^= 1;
        int result = 0;
        stream.Receive(_got.Slice(0, 1000), 1000, new IoOperation(done => result = done.Result));
        _loop.Send(near, _wire.Slice(0, length), new IoOperation(_ => { }));
        Until("the end", () => result != 0);
        Assert.Equal(-Errno.EBADMSG, result);
        Assert.Equal("decryption failed or bad record mac", stream.Problem);
    }

    private readonly IoBuffer _wire = new(512 * 1024);

    private sealed class Records(TlsSession session) : IRecordLayer
    {
        public bool IsEnded => session.IsEnded;

        public string? Problem => session.Problem;

        public int MostKeptBytes => TlsSession.MostRecordBytes;

        public int MostSealedBytes(int plainBytes) => TlsSession.MostSealedBytes(plainBytes);

        public int Seal(ReadOnlySpan<byte> plain, BufferSlice into) => session.Seal(plain, into.Address, into.LengthBytes);

        public int Open(BufferSlice received, Span<byte> into, out int consumedBytes) =>
            session.Open(received.Address, received.LengthBytes, into, out consumedBytes);

        public void Dispose() => session.Dispose();
    }

    private static (TlsSession Client, TlsSession Server) Sessions()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=t", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var context = new TlsContext(certificate.RawData, key.ExportECPrivateKey());
        var client = new TlsSession(context, true, _ => CertificateVerdict.Accepted);
        var server = new TlsSession(context, false, _ => CertificateVerdict.Accepted);
        client.Step([]);
        server.Step(client.ToSend.ToArray());
        client.Step(server.ToSend.ToArray());
        server.Step(client.ToSend.ToArray());
        Assert.True(client.IsSecure && server.IsSecure);
        return (client, server);
    }

    private (IConnection Near, IConnection Far) Connect()
    {
        var endpoint = new TcpEndpoint(IPAddress.Parse("10.0.0.1"), 7780);
        IListener listener = _loop.Listen(endpoint);
        IConnection? near = null;
        IConnection? far = null;
        _loop.Accept(listener, new IoOperation(done => far = done.Connection));
        _loop.Connect(endpoint, SecondNs, new IoOperation(done => near = done.Connection));
        Until("a connection", () => near is not null && far is not null);
        return (near!, far!);
    }

    private void Quiet() => _world.RunUntil(() => false, SecondNs / 100);

    private void Until(string what, Func<bool> condition) =>
        Assert.True(_world.RunUntil(condition, 10 * SecondNs), $"waited in vain for {what}");
}
