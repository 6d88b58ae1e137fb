namespace MirrorD.Configuration;

/// <summary>How a resource is mirrored.</summary>
/// <param name="Mode">When a client hears of a write.</param>
/// <param name="AsyncBufferBytes">Mode async: writes that the peer has not completed; beyond it writes wait.</param>
/// <param name="AsyncLagMs">
/// Mode async: writes wait while one was answered longer ago than this, in milliseconds, and the peer has not completed it.
/// </param>
/// <param name="ResyncByChecksum">A resync compares hashes first and sends only what differs.</param>
/// <param name="VerifyBytesPerSecond">Ceiling of the rate of a verify; 0 means none.</param>
/// <param name="VerifySchedule">When a verify begins by itself; null: never.</param>
/// <param name="TakesSnapshots">A whole copy is kept while a resync overwrites it, where that can be done.</param>
/// <param name="Encrypts">The link is encrypted; it is authentic in any case.</param>
public sealed record ReplicationConfiguration(
    MirrorMode Mode = MirrorMode.Sync, long AsyncBufferBytes = ReplicationConfiguration.DefaultBufferBytes,
    int AsyncLagMs = ReplicationConfiguration.DefaultLagMs, bool ResyncByChecksum = false,
    long VerifyBytesPerSecond = ReplicationConfiguration.DefaultVerifyBytesPerSecond,
    VerifySchedule? VerifySchedule = null, bool TakesSnapshots = true, bool Encrypts = true)
{
    /// <summary>16 MiB.</summary>
    public const long DefaultBufferBytes = 16 << 20;

    /// <summary>100 MiB/s.</summary>
    public const long DefaultVerifyBytesPerSecond = 100L << 20;

    /// <summary>5 s.</summary>
    public const int DefaultLagMs = 5000;
}
