namespace MirrorD.Api;

/// <summary>Answer to a <see cref="KeyStep"/>.</summary>
public sealed record KeyStepReply
{
    /// <summary>The step is done and stored, or was before.</summary>
    public required bool Succeeded { get; init; }

    /// <summary>Why not.</summary>
    public string? Message { get; init; }

    /// <summary>With <see cref="KeyStep.Renew"/>: hash of the former key.</summary>
    public string? Former { get; init; }

    /// <summary>With <see cref="KeyStep.Renew"/>: hash of the new one.</summary>
    public string? Now { get; init; }
}
