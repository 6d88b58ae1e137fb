using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace MirrorD.Daemon.Access;

/// <summary>Marks a connection that brings calls of another node: a header of each says who asks there.</summary>
/// <param name="Node">The node, by its certificate.</param>
internal sealed record BroughtCalls(string Node)
{
    /// <summary>First bytes of such a connection: the node's name, filled up with zeroes.</summary>
    private const int PrefaceBytes = 256;

    /// <summary>What says which node it is.</summary>
    public static byte[] Preface(string node)
    {
        byte[] preface = new byte[PrefaceBytes];
        Encoding.UTF8.GetBytes(node, preface);
        return preface;
    }

    /// <summary>Takes the preface from a connection.</summary>
    /// <exception cref="IOException">It ended before that.</exception>
    public static async Task<BroughtCalls> Read(PipeReader from, CancellationToken stop)
    {
        ReadResult read = await from.ReadAtLeastAsync(PrefaceBytes, stop);
        if (read.Buffer.Length < PrefaceBytes)
        {
            throw new IOException("a connection that does not say which node it brings");
        }

        string node = Encoding.UTF8.GetString(read.Buffer.Slice(0, PrefaceBytes).ToArray()).TrimEnd('\0');
        from.AdvanceTo(read.Buffer.GetPosition(PrefaceBytes));
        return new BroughtCalls(node);
    }
}
