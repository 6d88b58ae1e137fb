using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace MirrorD.Configuration.Identity;

/// <summary>The member says first to which authority it belongs.</summary>
/// <param name="Authority">Certificate of the authority, PEM.</param>
public sealed record JoinOffer(string Authority);

/// <summary>The new machine asks, once it knows the authority by the token's fingerprint.</summary>
/// <param name="Node">Which node it is.</param>
/// <param name="Id">Its id.</param>
/// <param name="Secret">Of the token, base64.</param>
/// <param name="PublicKey">Its key, SubjectPublicKeyInfo in base64.</param>
public sealed record JoinRequest(string Node, Guid Id, string Secret, string PublicKey);

/// <summary>The answer.</summary>
/// <param name="Problem">Why it is refused; null when it is not.</param>
/// <param name="Remedy">What to do then.</param>
/// <param name="Certificate">Its certificate, PEM.</param>
/// <param name="AuthorityKey">Key of the authority, PEM: every member can let others in.</param>
/// <param name="ClusterKeys">Keys of the datagrams, hexadecimal, the one that is sent with first.</param>
public sealed record JoinReply(
    string? Problem = null, string? Remedy = null, string? Certificate = null, string? AuthorityKey = null,
    IReadOnlyList<string>? ClusterKeys = null);

/// <summary>How the messages look as JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(JoinOffer))]
[JsonSerializable(typeof(JoinRequest))]
[JsonSerializable(typeof(JoinReply))]
public sealed partial class JoinJson : JsonSerializerContext;

/// <summary>
/// What is said when a machine joins, inside TLS 1.3 with this protocol's name (ALPN, RFC 7301), each message as its length
/// (u32, little endian) and so many bytes of JSON: offer, request, reply.
/// </summary>
public static class JoinExchange
{
    /// <summary>Name of the protocol.</summary>
    public const string Protocol = "mirrord-join/1";

    /// <summary>Longest message.</summary>
    public const int MostBytes = 16 * 1024;

    /// <summary>Sends a message.</summary>
    public static async Task Send<T>(Stream to, T message, JsonTypeInfo<T> type, CancellationToken stop)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(message, type);
        byte[] bytes = new byte[4 + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, body.Length);
        body.CopyTo(bytes, 4);
        await to.WriteAsync(bytes, stop);
        await to.FlushAsync(stop);
    }

    /// <summary>Receives a message.</summary>
    /// <exception cref="IOException">The other side ended, or said something else.</exception>
    public static async Task<T> Receive<T>(Stream from, JsonTypeInfo<T> type, CancellationToken stop)
    {
        byte[] length = new byte[4];
        await from.ReadExactlyAsync(length, stop);
        int bodyBytes = BinaryPrimitives.ReadInt32LittleEndian(length);
        if (bodyBytes is <= 0 or > MostBytes)
        {
            throw new IOException($"a message of {bodyBytes} bytes");
        }

        byte[] body = new byte[bodyBytes];
        await from.ReadExactlyAsync(body, stop);
        return Parse(body, type) ?? throw new IOException($"a message that is no {typeof(T).Name}");
    }

    /// <summary>Reads a message; null when it is none.</summary>
    public static T? Parse<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
