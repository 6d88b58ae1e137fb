namespace MirrorD.Core.Handshake;

/// <summary>
/// What may end a split brain without an operator. Each one allows what the one before it does, and more. It counts only when
/// both sides have the same one; a Primary never gives way by it.
/// </summary>
public enum SplitBrainPolicy : byte
{
    /// <summary>Nothing: an operator decides.</summary>
    Manual,
    /// <summary>A Standby that has changed nothing since the split gives way: nothing is lost by that.</summary>
    DiscardUnchanged,
    /// <summary>The Standby gives way to a Primary, with all that only it has.</summary>
    DiscardStandby,
}

/// <summary>Their names.</summary>
public static class SplitBrainPolicies
{
    /// <summary>As the configuration has it.</summary>
    public static string InWords(this SplitBrainPolicy policy) => policy switch
    {
        SplitBrainPolicy.Manual => "manual",
        SplitBrainPolicy.DiscardUnchanged => "discard-unchanged",
        SplitBrainPolicy.DiscardStandby => "discard-standby",
    };
}
