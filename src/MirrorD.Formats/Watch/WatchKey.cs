using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace MirrorD.Formats.Watch;

/// <summary>
/// Key of the datagrams of one direction between two nodes: HMAC-SHA-256, under the cluster key, of a label
/// and both names, each with its length before it. So nothing fits the other direction, another pair, or the
/// link.
/// </summary>
public sealed class WatchKey
{
    /// <summary>Bytes of the cluster key and of this key.</summary>
    public const int Bytes = 32;

    private const string Label = "mirrord watch 1";

    private readonly byte[] _key;

    /// <summary>Derives the key.</summary>
    /// <param name="clusterKey">The shared key, 32 bytes.</param>
    /// <param name="sender">Name of the node that sends.</param>
    /// <param name="receiver">Name of the node that receives.</param>
    public WatchKey(ReadOnlySpan<byte> clusterKey, string sender, string receiver)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(clusterKey.Length, Bytes);
        byte[] input = [.. Encoding.ASCII.GetBytes(Label), .. Named(sender), .. Named(receiver)];
        _key = HMACSHA256.HashData(clusterKey, input);
    }

    /// <summary>MAC of the bytes: 32 bytes. Allocates nothing.</summary>
    public void ComputeMac(ReadOnlySpan<byte> of, Span<byte> mac) => HMACSHA256.HashData(_key, of, mac);

    private static byte[] Named(string name)
    {
        byte[] text = Encoding.UTF8.GetBytes(name);
        byte[] named = new byte[text.Length + sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(named, checked((ushort)text.Length));
        text.CopyTo(named, sizeof(ushort));
        return named;
    }
}
