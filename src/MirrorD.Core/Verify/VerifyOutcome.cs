namespace MirrorD.Core.Verify;

/// <summary>What the comparison of a range came to.</summary>
public enum VerifyOutcome
{
    /// <summary>It has just begun: the range is held.</summary>
    Begun,
    /// <summary>Both copies are equal.</summary>
    Same,
    /// <summary>They differ.</summary>
    Differs,
    /// <summary>This node's disk can't read it, and perhaps neither the peer's.</summary>
    UnreadableHere,
    /// <summary>The peer's disk can't read it.</summary>
    UnreadableThere,
}
