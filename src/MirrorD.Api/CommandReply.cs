namespace MirrorD.Api;

/// <summary>How a command ended; also the body of every error.</summary>
public sealed record CommandReply
{
    /// <summary>It was carried out.</summary>
    public required bool Succeeded { get; init; }

    /// <summary>What was done, or what is wrong and why.</summary>
    public required string Message { get; init; }

    /// <summary>What to do about a failure; null when there is nothing.</summary>
    public string? Remedy { get; init; }
}
