namespace MirrorD.Api;

/// <summary>A step of the scale of times.</summary>
public sealed record TimeCountReport
{
    /// <summary>The longest time that counts here; null: any that is longer than all others.</summary>
    public long? UpToMicroseconds { get; init; }

    /// <summary>Times since the daemon started.</summary>
    public required long Count { get; init; }
}
