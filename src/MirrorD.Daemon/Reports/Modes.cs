using MirrorD.Configuration;
using MirrorD.Core.Handshake;
using MirrorD.Formats;

namespace MirrorD.Daemon.Reports;

/// <summary>Modes and policies, from the configuration to the engine.</summary>
internal static class Modes
{
    /// <summary>What the configuration asks for.</summary>
    public static ReplicationMode Of(MirrorMode mode) => mode switch
    {
        MirrorMode.Sync => ReplicationMode.Sync,
        MirrorMode.Memory => ReplicationMode.Memory,
        MirrorMode.Async => ReplicationMode.Async,
    };

    /// <summary>What the configuration asks for.</summary>
    public static SplitBrainPolicy Of(SplitBrainChoice policy) => policy switch
    {
        SplitBrainChoice.Manual => SplitBrainPolicy.Manual,
        SplitBrainChoice.DiscardUnchanged => SplitBrainPolicy.DiscardUnchanged,
        SplitBrainChoice.DiscardStandby => SplitBrainPolicy.DiscardStandby,
    };
}
