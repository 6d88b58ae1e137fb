using System.Buffers.Binary;
using MirrorD.Fuzz.Running;
using MirrorD.Fuzz.Targets.Identity;
using MirrorD.Io;
using MirrorD.Io.Linux.Tls;

namespace MirrorD.Fuzz.Targets.Peer;

/// <summary>
/// TLS of the link, by libssl, whose edges nobody counts. The first byte of the input chooses: 0 a listener that gets the
/// rest, 1 a connector that gets it (real inputs are recorded hellos whose random bytes were replaced); 2 a whole connection,
/// and the rest says which bytes of it are changed on their way: message, place (two bytes), and the bits.
/// </summary>
internal sealed class TlsTarget : FuzzTarget
{
    // More than one record: what there is no room for stays.
    private const int DataBytes = 20_000;
    private const int ChangeBytes = 4;
    private const long MostWorkingSetBytes = 1L << 30;

    private readonly Lazy<TlsContext> _context =
        new(() => new TlsContext(Certificates.NodeDer, Certificates.NodeKey.ExportECPrivateKey()));

    private readonly Lazy<IoBuffer> _wire = new(() => new IoBuffer(TlsSession.MostSealedBytes(DataBytes)));
    private int _runs;

    public override string Name => "tls";

    public override IReadOnlyList<string> Files => ["src/MirrorD.Io.Linux/Tls/TlsSession.cs"];

    public override IReadOnlyList<int> Fields => [0, 1, 2, 4, 6, 7, 10, 12, 44, 45, 77, 79];

    public override int MostBytes => 2000;

    public override IEnumerable<byte[]> Seeds()
    {
        using TlsSession client = Session(isClient: true);
        using TlsSession server = Session(isClient: false);
        client.Step([]);
        byte[] hello = client.ToSend.ToArray();
        server.Step(hello);
        byte[] answer = server.ToSend.ToArray();
        answer = answer[..(5 + BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(3)))];
        yield return [0, .. Fixed(hello)];
        yield return [1, .. Fixed(answer)];
        yield return [1, .. Fixed(answer), 20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 40, .. Bytes.Counting(40)];
        yield return [1, 21, 3, 3, 0, 2, 2, 40];
        yield return [2];
        for (byte message = 0; message < 4; message++)
        {
            yield return [2, message, 0, 30, 1];
        }

        yield return [2, 3, 3, 0, 255];
    }

    public override byte[] FixUp(byte[] input)
    {
        // The length of the hello, in its record and in its message.
        if (input.Length > 10 && input[0] < 2 && input[1] == 22)
        {
            int record = input[0] == 0 ? input.Length - 6
                : Math.Min(BinaryPrimitives.ReadUInt16BigEndian(input.AsSpan(4)), input.Length - 6);
            BinaryPrimitives.WriteUInt16BigEndian(input.AsSpan(4), (ushort)record);
            if (record >= 4)
            {
                BinaryPrimitives.WriteUInt32BigEndian(input.AsSpan(6), ((uint)input[6] << 24) | (uint)(record - 4));
            }
        }

        return input;
    }

    public override void Run(byte[] input)
    {
        if (input.Length > 0 && input[0] % 3 == 2)
        {
            Connection(input.AsSpan(1));
        }
        else
        {
            Alone(input, isClient: input.Length > 0 && input[0] % 3 == 1);
        }

        // What libssl does not give back is seen nowhere else.
        BrokenProperty.Unless(++_runs % 1024 != 0 || Environment.WorkingSet < MostWorkingSetBytes,
            "sessions give their memory back");
    }

    private static byte[] Fixed(byte[] hello)
    {
        byte[] bytes = (byte[])hello.Clone();
        Bytes.Counting(32).CopyTo(bytes, 11);
        if (bytes[43] == 32)
        {
            Bytes.Counting(32).CopyTo(bytes, 44);
        }

        // The key of X25519 in the share.
        int share = bytes.AsSpan().LastIndexOf((byte[])[0, 29, 0, 32]);
        Bytes.Counting(32).CopyTo(bytes, share + 4);
        return bytes;
    }

    private TlsSession Session(bool isClient) => new(_context.Value, isClient, _ => CertificateVerdict.Accepted);

    private void Alone(byte[] input, bool isClient)
    {
        using TlsSession session = Session(isClient);
        if (isClient)
        {
            session.Step([]);
        }

        ReadOnlySpan<byte> rest = input.AsSpan(Math.Min(1, input.Length));
        session.Step(rest[..(rest.Length / 2)]);
        session.Step(rest[(rest.Length / 2)..]);
        BrokenProperty.Unless(!session.IsSecure, "nobody is let in without a key");
        BrokenProperty.Unless(session.ToSend.Length + session.Unread.Length <= 2 * TlsSession.MostHandshakeBytes,
            "a step has a limit");
        string? problem = session.Problem;
        if (problem is not null)
        {
            session.Step(rest[..Math.Min(1, rest.Length)]);
            BrokenProperty.Unless(session.Problem == problem && session.ToSend.IsEmpty && !session.IsSecure,
                "a handshake that was broken off does not go on");
        }

        session.Step(new byte[TlsSession.MostHandshakeBytes + 1]);
        BrokenProperty.Unless(session.Problem is not null && session.ToSend.IsEmpty, "a handshake ends");
        BrokenProperty.Unless(problem is null || session.Problem == problem, "what is wrong stays what it is");
    }

    private void Connection(ReadOnlySpan<byte> changes)
    {
        using TlsSession client = Session(isClient: true);
        using TlsSession server = Session(isClient: false);
        client.Step([]);
        server.Step(Changed(client.ToSend, changes, 0));
        client.Step(Changed(server.ToSend, changes, 1));
        server.Step(Changed(client.ToSend, changes, 2));
        if (!client.IsSecure || !server.IsSecure)
        {
            BrokenProperty.Unless(changes.Length >= ChangeBytes, "both come to an end");
            return;
        }

        (byte[] one, byte[] other) = (new byte[32], new byte[32]);
        client.Export("EXPORTER-fuzz"u8, one);
        server.Export("EXPORTER-fuzz"u8, other);
        BrokenProperty.Unless(one.AsSpan().SequenceEqual(other), "both have the same secret");
        Data(client, server, changes);
    }

    private void Data(TlsSession from, TlsSession to, ReadOnlySpan<byte> changes)
    {
        byte[] plain = Bytes.Counting(DataBytes);
        IoBuffer wire = _wire.Value;
        int length = from.Seal(plain, wire.Address, wire.LengthBytes);
        BrokenProperty.Unless(length > DataBytes && length <= TlsSession.MostSealedBytes(DataBytes),
            "it becomes as long as is said");
        Changed(wire.Span[..length], changes, 3).CopyTo(wire.Span);
        byte[] opened = new byte[DataBytes + 1];
        (int at, int done, int got) = (0, 0, 0);
        while (at < length && got >= 0)
        {
            int room = Math.Min(700, opened.Length - done);
            got = to.Open(wire.Address + at, length - at, opened.AsSpan(done, room), out int consumed);
            BrokenProperty.Unless(got <= room && consumed >= 0 && consumed <= length - at, "no more than there is, or fits");
            BrokenProperty.Unless(got > 0 || consumed > 0 || got < 0, "it goes on");
            at += consumed;
            done += Math.Max(got, 0);
            BrokenProperty.Unless(done <= DataBytes && opened.AsSpan(0, done).SequenceEqual(plain.AsSpan(0, done)),
                "what comes out was put in");
        }

        // What libssl has decrypted and there was no room for.
        got = got < 0 ? got : to.Open(wire.Address, 0, opened.AsSpan(done), out _);
        done += Math.Max(got, 0);
        BrokenProperty.Unless(got < 0 == to.Problem is not null, "bytes, or what is wrong");
        BrokenProperty.Unless(done == DataBytes || changes.Length >= ChangeBytes, "all comes out");
        BrokenProperty.Unless(from.Seal(plain, wire.Address, DataBytes) < 0, "no more is written than there is room for");
    }

    private static byte[] Changed(ReadOnlySpan<byte> message, ReadOnlySpan<byte> changes, int number)
    {
        byte[] changed = message.ToArray();
        for (ReadOnlySpan<byte> rest = changes; rest.Length >= ChangeBytes; rest = rest[ChangeBytes..])
        {
            if (rest[0] % 4 == number && changed.Length > 0)
            {
                changed[BinaryPrimitives.ReadUInt16BigEndian(rest[1..]) % changed.Length] ^= rest[3];
            }
        }

        return changed;
    }
}
