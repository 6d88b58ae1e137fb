using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace MirrorD.Formats.Watch;

/// <summary>How datagrams of the watch name a resource: the first 8 bytes of SHA-256 of its name.</summary>
public readonly record struct ResourceHash(ulong Value)
{
    /// <summary>Hash of a name in UTF-8.</summary>
    public static ResourceHash Of(string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        return new ResourceHash(BinaryPrimitives.ReadUInt64LittleEndian(hash));
    }

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16");
}
