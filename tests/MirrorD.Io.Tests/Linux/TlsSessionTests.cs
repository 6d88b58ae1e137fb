using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Io.Linux.Tls;
using Xunit.Abstractions;

namespace MirrorD.Io.Tests.Linux;

public sealed class TlsSessionTests(ITestOutputHelper output) : IDisposable
{
    private readonly TlsContext _context = Context();
    private readonly IoBuffer _wire = new(512 * 1024);
    private readonly IoBuffer _plain = new(256 * 1024);

    public void Dispose()
    {
        _context.Dispose();
        _wire.Dispose();
        _plain.Dispose();
    }

    [Fact]
    public void Both_sides_judge_a_certificate_and_have_the_same_secret()
    {
        var judged = new List<byte[]>();
        (TlsSession client, TlsSession server) = Sessions(_ => true, judged.Add);
        ShakeHands(client, server);
        Assert.True(client.IsSecure && server.IsSecure);
        Assert.Equal(2, judged.Count);
        Assert.All(judged, der => Assert.Equal("CN=t", X509CertificateLoader.LoadCertificate(der).Subject));
        byte[] one = new byte[32];
        byte[] other = new byte[32];
        byte[] third = new byte[32];
        client.Export("EXPORTER-a"u8, one);
        server.Export("EXPORTER-a"u8, other);
        server.Export("EXPORTER-b"u8, third);
        Assert.Equal(one, other);
        Assert.NotEqual(one, third);
        (TlsSession again, TlsSession with) = Sessions(_ => true, judged.Add);
        ShakeHands(again, with);
        again.Export("EXPORTER-a"u8, other);
        Assert.NotEqual(one, other);
    }

    [Theory]
    [InlineData(CertificateVerdict.UnknownAuthority, "tlsv1 alert unknown ca")]
    [InlineData(CertificateVerdict.Expired, "sslv3 alert certificate expired")]
    [InlineData(CertificateVerdict.Revoked, "sslv3 alert certificate revoked")]
    [InlineData(CertificateVerdict.SomebodyElse, "sslv3 alert handshake failure")]
    public void A_refused_side_hears_why(CertificateVerdict verdict, string heard)
    {
        using var client = new TlsSession(_context, true, _ => CertificateVerdict.Accepted);
        using var server = new TlsSession(_context, false, _ => verdict);
        ShakeHands(client, server);
        Assert.Equal("certificate verify failed", server.Problem);
        Assert.False(server.IsSecure);

        // The client had ended its part: it hears at its first read.
        Alert(server).CopyTo(_wire.Span);
        Assert.Equal(-1, client.Open(_wire.Address, Alert(server).Length, _plain.Span, out _));
        Assert.Equal(heard, client.Problem);
    }

    [Fact]
    public void A_judge_that_throws_refuses()
    {
        using var client = new TlsSession(_context, true, _ => throw new InvalidOperationException("no"));
        using var server = new TlsSession(_context, false, _ => CertificateVerdict.Accepted);
        ShakeHands(client, server);
        Assert.NotNull(client.Problem);
        Assert.False(client.IsSecure);
        Assert.False(server.IsSecure);
    }

    [Fact]
    public void What_is_sealed_comes_out_in_order_however_it_is_cut()
    {
        (TlsSession client, TlsSession server) = Secured();
        byte[] sent = RandomNumberGenerator.GetBytes(200_000);
        int length = Seal(client, sent, 0);
        var random = new Random(1);
        var got = new List<byte>();
        for (int start = 0, end = 0; end < length || start < end;)
        {
            end = Math.Min(length, end + random.Next(1, 40_000));
            int room = random.Next(1, 50_000);
            int opened = server.Open(_wire.Address + start, end - start, _plain.Span[..room], out int consumed);
            Assert.InRange(opened, 0, room);
            Assert.True(opened == room || consumed == end - start);
            start += consumed;
            got.AddRange(_plain.Span[..opened]);
            if (end == length && opened == 0)
            {
                break;
            }
        }

        Assert.Equal(sent, got);
    }

    [Fact]
    public void Keys_change_after_so_many_bytes_and_everything_comes_out()
    {
        TlsSession[] sides = [.. new[] { true, false }.Select(isClient =>
            new TlsSession(_context, isClient, _ => CertificateVerdict.Accepted) { KeyUpdateBytes = 10_000 })];
        ShakeHands(sides[0], sides[1]);
        int changes = 0;
        for (int i = 0; i < 200; i++)
        {
            (TlsSession from, TlsSession to) = i % 3 == 0 ? (sides[1], sides[0]) : (sides[0], sides[1]);
            byte[] sent = RandomNumberGenerator.GetBytes(1 + (i * 37 % 5000));
            int length = Seal(from, sent, 0);

            // A record more than the data: the message that says so.
            changes += length > sent.Length + 22 ? 1 : 0;
            Assert.Equal(sent.Length, to.Open(_wire.Address, length, _plain.Span[..sent.Length], out int consumed));
            Assert.Equal((length, true), (consumed, _plain.Span[..sent.Length].SequenceEqual(sent)));
        }

        Assert.InRange(changes, 20, 60);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(100)]
    [InlineData(-1)]
    public void A_changed_byte_is_noticed(int at)
    {
        (TlsSession client, TlsSession server) = Secured();
        int length = Seal(client, new byte[1000], 0);
        _wire.Span[at < 0 ? length + at : at] ^= 1;
        int opened = server.Open(_wire.Address, length, _plain.Span, out _);
        if (at == 3)
        {
            // The length of the record: it waits for more, and then does not fit.
            length += Seal(client, new byte[1000], length);
            opened = server.Open(_wire.Address + 1022, length - 1022, _plain.Span, out _);
        }

        Assert.Equal(-1, opened);
        Assert.NotNull(server.Problem);
    }

    [Fact]
    public void A_record_that_is_repeated_or_left_out_is_noticed()
    {
        (TlsSession client, TlsSession server) = Secured();
        int first = Seal(client, [1, 2, 3], 0);
        Assert.Equal(3, server.Open(_wire.Address, first, _plain.Span, out _));
        Assert.Equal(-1, server.Open(_wire.Address, first, _plain.Span, out _));
        (client, server) = Secured();
        first = Seal(client, [1, 2, 3], 0);
        int second = Seal(client, [4, 5, 6], first);
        Assert.Equal(-1, server.Open(_wire.Address + first, second, _plain.Span, out _));
    }

    [Fact]
    public void Noise_ends_a_handshake_with_a_cause_and_within_bounds()
    {
        var random = new Random(7);
        for (int i = 0; i < 300; i++)
        {
            using var server = new TlsSession(_context, false, _ => CertificateVerdict.Accepted);
            byte[] noise = new byte[random.Next(1, 3000)];
            random.NextBytes(noise);
            if (i % 2 == 0)
            {
                new byte[] { 0x16, 3, 1 }.CopyTo(noise, 0);
            }

            for (int fed = 0; fed <= TlsSession.MostHandshakeBytes && server.Problem is null; fed += noise.Length)
            {
                server.Step(noise);
            }

            Assert.NotNull(server.Problem);
            Assert.False(server.IsSecure);
        }
    }

    [Fact]
    public void Only_the_newest_version_is_spoken()
    {
        // A ClientHello of TLS 1.2, as another program sends it: no supported_versions.
        byte[] random = new byte[32];
        byte[] hello =
        [
            0x03, 0x03, .. random, 0, 0, 2, 0xc0, 0x2b, 1, 0, 0, 12,
            0, 10, 0, 4, 0, 2, 0, 23, 0, 13, 0, 0,
        ];
        byte[] record = [0x16, 3, 1, 0, (byte)(hello.Length + 4), 1, 0, 0, (byte)hello.Length, .. hello];
        using var server = new TlsSession(_context, false, _ => CertificateVerdict.Accepted);
        server.Step(record);
        Assert.NotNull(server.Problem);
    }

    [Fact]
    public void Sealing_and_opening_allocate_nothing()
    {
        (TlsSession client, TlsSession server) = Secured();
        foreach (int bytes in new[] { 64, 4160, 128 * 1024 })
        {
            long allocated = 0;
            int wrong = 0;
            var time = Stopwatch.StartNew();
            const int Rounds = 2000;
            for (int i = 0; i < Rounds; i++)
            {
                if (i == 100)
                {
                    allocated = GC.GetAllocatedBytesForCurrentThread();
                }

                int length = client.Seal(_plain.Span[..bytes], _wire.Address, _wire.LengthBytes);
                wrong += server.Open(_wire.Address, length, _plain.Span[..bytes], out _) == bytes ? 0 : 1;
            }

            // A collection that other tests cause counts what is left of this thread's share of the heap, at most 8 KiB; one object
            // for each operation would be 44 KiB at least.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 16 * 1024);
            Assert.Equal(0, wrong);
            output.WriteLine($"{bytes} bytes: {time.Elapsed.TotalMicroseconds / Rounds:0.0} us for both sides");
        }
    }

    private static TlsContext Context()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=t", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return new TlsContext(certificate.RawData, key.ExportECPrivateKey());
    }

    private (TlsSession Client, TlsSession Server) Sessions(Func<byte[], bool> accepts, Action<byte[]> judged)
    {
        return (new TlsSession(_context, true, Judge), new TlsSession(_context, false, Judge));

        CertificateVerdict Judge(byte[] der)
        {
            judged(der);
            return accepts(der) ? CertificateVerdict.Accepted : CertificateVerdict.UnknownAuthority;
        }
    }

    private (TlsSession Client, TlsSession Server) Secured()
    {
        (TlsSession client, TlsSession server) = Sessions(_ => true, _ => { });
        ShakeHands(client, server);
        Assert.True(client.IsSecure && server.IsSecure, $"{client.Problem} {server.Problem}");
        return (client, server);
    }

    private static void ShakeHands(TlsSession client, TlsSession server)
    {
        client.Step([]);
        while (client.Problem is null && server.Problem is null && !(client.IsSecure && server.IsSecure))
        {
            server.Step(client.ToSend.ToArray());
            if (!client.IsSecure)
            {
                client.Step(server.ToSend.ToArray());
            }
        }
    }

    private static ReadOnlySpan<byte> Alert(TlsSession session) => session.ToSend;

    private int Seal(TlsSession session, ReadOnlySpan<byte> plain, int at)
    {
        int length = session.Seal(plain, _wire.Address + at, _wire.LengthBytes - at);
        Assert.InRange(length, plain.Length + 1, TlsSession.MostSealedBytes(plain.Length));
        return length;
    }
}
