namespace MirrorD.Formats;

/// <summary>Modes for people.</summary>
public static class ReplicationModes
{
    /// <summary>A mode as the configuration writes it.</summary>
    public static string InWords(this ReplicationMode mode) => mode switch
    {
        ReplicationMode.Sync => "sync",
        ReplicationMode.Memory => "memory",
        ReplicationMode.Async => "async",
    };
}
