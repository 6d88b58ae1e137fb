using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <summary>What a client without TLS may use; reused from one to the next.</summary>
internal sealed class NbdGateMemory : IDisposable
{
    /// <summary>What it sends comes here.</summary>
    public IoBuffer Receive { get; } = new(SessionLimits.StrangerBytes);

    /// <summary>What it is told.</summary>
    public IoBuffer Send { get; } = new(SessionLimits.StrangerBytes);

    /// <summary>Frees the buffers. No operation may be pending on them.</summary>
    public void Dispose()
    {
        Receive.Dispose();
        Send.Dispose();
    }
}
