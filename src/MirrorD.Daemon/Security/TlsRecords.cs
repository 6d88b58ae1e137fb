using MirrorD.Engine.Link;
using MirrorD.Io;
using MirrorD.Io.Linux.Tls;

namespace MirrorD.Daemon.Security;

/// <summary>The records of a TLS session.</summary>
internal sealed class TlsRecords(TlsSession session) : IRecordLayer
{
    public string? Problem => session.Problem is { } problem ? TlsCauses.Explain(problem) : null;

    public bool IsEnded => session.IsEnded;

    public int MostKeptBytes => TlsSession.MostRecordBytes;

    public int MostSealedBytes(int plainBytes) => TlsSession.MostSealedBytes(plainBytes);

    public int Seal(ReadOnlySpan<byte> plain, BufferSlice into) => session.Seal(plain, into.Address, into.LengthBytes);

    public int Open(BufferSlice received, Span<byte> into, out int consumedBytes) =>
        session.Open(received.Address, received.LengthBytes, into, out consumedBytes);

    public void Dispose() => session.Dispose();
}
