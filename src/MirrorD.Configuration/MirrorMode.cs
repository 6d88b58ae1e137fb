namespace MirrorD.Configuration;

/// <summary>When a client hears of a write; flush and force unit access mean both disks in every mode.</summary>
public enum MirrorMode
{
    /// <summary>Both copies have it.</summary>
    Sync,
    /// <summary>The local copy has it, and the peer in memory.</summary>
    Memory,
    /// <summary>The local copy has it; what the peer lacks is bounded.</summary>
    Async,
}
