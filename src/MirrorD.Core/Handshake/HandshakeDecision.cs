namespace MirrorD.Core.Handshake;

/// <summary>What a handshake leads to. Values go over the wire.</summary>
public enum HandshakeAction : byte
{
    /// <summary>Nothing to copy; J1 to J6 follow all the same.</summary>
    NoSync = 1,
    /// <summary>The union of the dirty sets is copied.</summary>
    BitmapSync = 2,
    /// <summary>Everything is copied.</summary>
    FullSync = 3,
    /// <summary>One or both sides demote (<see cref="HandshakeDecision.SelfDemotes"/>) and connect again.</summary>
    DemoteFirst = 4,
    /// <summary>Both have data that the other one lacks: no data moves.</summary>
    SplitBrain = 5,
    /// <summary>The copies have nothing in common, or don't fit: no data moves.</summary>
    Refuse = 6,
    /// <summary>What is stored does not say which copy is newer: an operator has to.</summary>
    Operator = 7,
}

/// <summary>A side's part in joining. Values go over the wire.</summary>
public enum HandshakePart : byte
{
    /// <summary>No part: nothing is joined.</summary>
    None = 0,
    /// <summary>Its data counts.</summary>
    Source = 1,
    /// <summary>It is brought up to date.</summary>
    Target = 2,
}

/// <summary>Result of the handshake table for one side.</summary>
/// <param name="Case">The row that held.</param>
/// <param name="Action">What follows.</param>
/// <param name="SelfIs">This side's part.</param>
/// <param name="SelfDemotes">With <see cref="HandshakeAction.DemoteFirst"/>: this side fails its held requests and demotes.</param>
public sealed record HandshakeDecision(
    HandshakeCase Case, HandshakeAction Action, HandshakePart SelfIs, bool SelfDemotes = false);
