using MirrorD.Configuration;
using MirrorD.Formats;

namespace MirrorD.Daemon.Reports;

/// <summary>Modes of replication, from the configuration to the engine.</summary>
internal static class Modes
{
    /// <summary>What the configuration asks for.</summary>
    public static ReplicationMode Of(MirrorMode mode) => mode switch
    {
        MirrorMode.Sync => ReplicationMode.Sync,
        MirrorMode.Memory => ReplicationMode.Memory,
        MirrorMode.Async => ReplicationMode.Async,
    };
}
