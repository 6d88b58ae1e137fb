namespace MirrorD.Configuration;

/// <summary>What a Primary does that has lost the production network while its joined standby has it.</summary>
public enum PreferConnectedNode
{
    /// <summary>Hands the resource over, without loss.</summary>
    Auto,
    /// <summary>Stays, and asks the operator to.</summary>
    Ask,
}
