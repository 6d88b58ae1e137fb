namespace MirrorD.Api;

/// <summary>Values of <see cref="ResourceReport.Health"/>, from good to bad.</summary>
public static class ResourceHealth
{
    /// <summary>Both copies are UpToDate and joined.</summary>
    public const string Ok = "ok";

    /// <summary>A resync runs.</summary>
    public const string Syncing = "syncing";

    /// <summary>Served, or able to be, but not mirrored.</summary>
    public const string Degraded = "degraded";

    /// <summary>Something waits for a decision; see the hold-up.</summary>
    public const string HeldUp = "held-up";

    /// <summary>The resource does not run: its thread ended or it could not start.</summary>
    public const string Failed = "failed";
}
