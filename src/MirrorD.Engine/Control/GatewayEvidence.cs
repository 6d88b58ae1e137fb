namespace MirrorD.Engine.Control;

/// <summary>What this node sees of its own production network.</summary>
public enum GatewayEvidence
{
    /// <summary>No gateway is configured: nothing can be said.</summary>
    NotConfigured,
    /// <summary>The interface has carrier, and a gateway answers.</summary>
    Answers,
    /// <summary>The interface has carrier, and no gateway answers.</summary>
    Silent,
    /// <summary>The interface has no carrier: this node itself is cut off.</summary>
    NoCarrier,
}
