namespace MirrorD.Configuration;

/// <summary>What may end a split brain without an operator, where both nodes say the same.</summary>
public enum SplitBrainChoice
{
    /// <summary>Nothing.</summary>
    Manual,
    /// <summary>A Standby that has changed nothing since the split gives way.</summary>
    DiscardUnchanged,
    /// <summary>The Standby gives way to a Primary, with all that only it has.</summary>
    DiscardStandby,
}
