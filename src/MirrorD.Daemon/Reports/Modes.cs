using MirrorD.Configuration;
using MirrorD.Formats;

namespace MirrorD.Daemon.Reports;

/// <summary>Modes of replication, from the configuration to the engine and to people.</summary>
internal static class Modes
{
    /// <summary>What the configuration asks for.</summary>
    public static ReplicationMode Of(MirrorMode mode) => mode switch
    {
        MirrorMode.Sync => ReplicationMode.Sync,
        MirrorMode.Memory => ReplicationMode.Memory,
        MirrorMode.Async => ReplicationMode.Async,
    };

    /// <summary>A mode as the configuration writes it.</summary>
    public static string InWords(ReplicationMode mode) => mode switch
    {
        ReplicationMode.Sync => "sync",
        ReplicationMode.Memory => "memory",
        ReplicationMode.Async => "async",
    };
}
