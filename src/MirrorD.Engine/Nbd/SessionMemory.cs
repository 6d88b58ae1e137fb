using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <summary>The unmanaged buffers of a session; reused from one session to the next.</summary>
internal sealed class SessionMemory : IDisposable
{
    /// <summary>What the client sends comes here first.</summary>
    public IoBuffer Receive { get; } = new(SessionLimits.ReceiveBytes);

    /// <summary>Replies are gathered here.</summary>
    public IoBuffer Send { get; } = new(SessionLimits.SendBytes);

    /// <summary>Frees the buffers. No operation may be pending on them.</summary>
    public void Dispose()
    {
        Receive.Dispose();
        Send.Dispose();
    }
}
