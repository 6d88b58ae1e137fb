using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Identity;

/// <summary>
/// What is said and carried when a machine joins: a token as text, the three messages with their length, and the file of a
/// token that was given out. The first byte of the input chooses.
/// </summary>
internal sealed class JoinTarget : FuzzTarget
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.FromUnixTimeSeconds(2_000_000_000);
    private static readonly JoinToken s_token = new(Bytes.Counting(16), Bytes.Counting(SHA256.HashSizeInBytes));

    private readonly ScratchDirectory _scratch = new("join");

    private readonly Lazy<X509Certificate2> _authority =
        new(() => X509CertificateLoader.LoadCertificate(Certificates.AuthorityDer));

    public override string Name => "join";

    public override IReadOnlyList<string> Files =>
    [
        "src/MirrorD.Configuration/Identity/JoinToken.cs", "src/MirrorD.Configuration/Identity/JoinExchange.cs",
        "src/MirrorD.Configuration/Identity/JoinTokens.cs",
    ];

    public override bool IsText => true;

    public override IReadOnlyList<byte[]> Words => [.. new[]
    {
        "\"node\"", "\"id\"", "\"secret\"", "\"publicKey\"", "\"authority\"", "\"problem\"", "\"remedy\"", "\"certificate\"",
        "\"authorityKey\"", "\"clusterKeys\"", "null", "[]", "{}", "\"\\ud800\"", "1", "_-", "=",
        "11111111-2222-3333-4444-555555555555", "2000000000", "9223372036854775808", " ",
    }.Select(Encoding.UTF8.GetBytes)];

    // Buffers of files, and of a message of the length that is stated.
    public override long MostAllocatedBytes(int inputBytes) => 256 * 1024 + 256L * inputBytes;

    public override IEnumerable<byte[]> Seeds()
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(s_token.Secret));
        yield return [(byte)'0', .. Encoding.ASCII.GetBytes(s_token.ToString())];
        yield return [(byte)'0', .. Encoding.ASCII.GetBytes($"B{s_token.ToString()[1..]}")];
        yield return [(byte)'1', .. Message(new JoinOffer("x"), JoinJson.Default.JoinOffer)];
        yield return [(byte)'2', .. Message(new JoinRequest("b", Guid.Empty, "AA", "AA"), JoinJson.Default.JoinRequest)];
        yield return [(byte)'3', .. Message(new JoinReply("no", "do"), JoinJson.Default.JoinReply)];
        yield return [(byte)'3', .. Message(
            new JoinReply(Certificate: "c", AuthorityKey: "k", ClusterKeys: ["a", "b"]), JoinJson.Default.JoinReply)];
        yield return [.. "4"u8, .. Encoding.ASCII.GetBytes($"{hash} 2000000000\n")];
        yield return [.. "4"u8, .. Encoding.ASCII.GetBytes($"{hash} 1999999999\n")];
        yield return [.. "4"u8, .. new byte[31]];
        yield return [.. "1"u8, 255, 255, 255, 255, (byte)'{'];
        yield return [.. "2"u8, 3, 0, 0, 0, .. "[1]"u8];
    }

    public override byte[] FixUp(byte[] input)
    {
        if (input.Length >= 5 && input[0] is >= (byte)'1' and <= (byte)'3')
        {
            BinaryPrimitives.WriteInt32LittleEndian(input.AsSpan(1), input.Length - 5);
        }

        return input;
    }

    public override void Run(byte[] input)
    {
        byte[] rest = input.Length == 0 ? [] : input[1..];
        switch (input.Length == 0 ? 0 : (input[0] - '0') & 7)
        {
            case 1:
                Check(rest, JoinJson.Default.JoinOffer, offer => offer.Authority is not null);
                break;
            case 2:
                Check(rest, JoinJson.Default.JoinRequest,
                    request => request is { Node: not null, Secret: not null, PublicKey: not null });
                break;
            case 3:
                Check(rest, JoinJson.Default.JoinReply, _ => true);
                break;
            case 4:
                CheckFile(rest, writes: input.Length % 32 == 0);
                break;
            default:
                CheckToken(Encoding.UTF8.GetString(rest));
                break;
        }
    }

    private static byte[] Message<T>(T message, JsonTypeInfo<T> type)
    {
        using var stream = new MemoryStream();
        JoinExchange.Send(stream, message, type, default).GetAwaiter().GetResult();
        return stream.ToArray();
    }

    private static void Check<T>(byte[] bytes, JsonTypeInfo<T> type, Func<T, bool> isWhole)
        where T : class
    {
        using var stream = new MemoryStream(bytes);
        T message;
        try
        {
            message = JoinExchange.Receive(stream, type, default).GetAwaiter().GetResult();
        }
        catch (IOException)
        {
            // Documented: it ended before, or is something else.
            return;
        }

        BrokenProperty.Unless(isWhole(message), "a message has its texts");
        BrokenProperty.Unless(
            stream.Position == 4 + BinaryPrimitives.ReadInt32LittleEndian(bytes)
                && stream.Position <= 4 + JoinExchange.MostBytes,
            "as much is taken as its length says");
        byte[] again = Message(message, type);
        BrokenProperty.UnlessSame(again, Message(JoinExchange.Parse(again.AsSpan(4), type)!, type));
    }

    private static void CheckToken(string text)
    {
        if (JoinToken.Parse(text) is { } token)
        {
            BrokenProperty.Unless(token.Secret.Length == 16 && token.Fingerprint.Length == 32,
                "a token has its secret and fingerprint");

            // Of its last character two bits count for something.
            BrokenProperty.UnlessSame(Encoding.UTF8.GetBytes(text[..^1]), Encoding.ASCII.GetBytes(token.ToString()[..^1]));
        }
    }

    private void CheckFile(byte[] content, bool writes)
    {
        var identity = new IdentityDirectory(_scratch.Path);
        var tokens = new JoinTokens(identity);
        string file = Path.Combine(_scratch.Path, "tokens", "b");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, content);
        _ = tokens.Any(s_now);
        BrokenProperty.Unless(!tokens.Redeem("b", Bytes.Counting(15), s_now), "another secret is not redeemed");
        bool isRedeemed = tokens.Redeem("b", s_token.Secret, s_now);
        BrokenProperty.Unless(!isRedeemed || !tokens.Redeem("b", s_token.Secret, s_now), "a token is used once");
        string text = Encoding.UTF8.GetString(content);
        BrokenProperty.Unless(
            !isRedeemed
                || text.Contains(Convert.ToHexString(SHA256.HashData(s_token.Secret)), StringComparison.OrdinalIgnoreCase),
            "a token is redeemed by its secret");

        // Writing waits for the disk: not each time.
        if (writes)
        {
            tokens.Add(s_token, "b", s_now);
            BrokenProperty.Unless(tokens.Redeem("b", s_token.Secret, s_now), "a token is good until its time");
            JoinToken made = JoinToken.Create(_authority.Value);
            tokens.Add(made, "b", s_now);
            BrokenProperty.Unless(!tokens.Redeem("b", made.Secret, s_now.AddSeconds(1)), "and not after it");
            BrokenProperty.Unless(!tokens.Any(s_now), "none is left");
            Directory.CreateDirectory(Path.Combine(_scratch.Path, "tokens", "taken"));
            try
            {
                tokens.Add(s_token, "taken", s_now);
                throw new BrokenProperty("what can't be written is told");
            }
            catch (NodeStateException)
            {
                // Documented.
            }
        }
    }
}
