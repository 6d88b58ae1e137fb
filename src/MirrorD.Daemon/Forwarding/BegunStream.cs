using System.Net.Sockets;

namespace MirrorD.Daemon.Forwarding;

/// <summary>A connection of which something was read already: that comes first.</summary>
/// <param name="socket">The connection; not closed with the stream.</param>
/// <param name="begun">What was read.</param>
internal sealed class BegunStream(Socket socket, ReadOnlyMemory<byte> begun) : NetworkStream(socket, ownsSocket: false)
{
    private ReadOnlyMemory<byte> _begun = begun;

    public override int Read(Span<byte> buffer) => _begun.IsEmpty ? base.Read(buffer) : Take(buffer);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _begun.IsEmpty ? base.ReadAsync(buffer, cancellationToken) : ValueTask.FromResult(Take(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private int Take(Span<byte> buffer)
    {
        int taken = Math.Min(buffer.Length, _begun.Length);
        _begun.Span[..taken].CopyTo(buffer);
        _begun = _begun[taken..];
        return taken;
    }
}
