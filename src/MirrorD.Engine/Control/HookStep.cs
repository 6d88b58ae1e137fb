namespace MirrorD.Engine.Control;

/// <summary>When a hook runs.</summary>
public enum HookStep
{
    /// <summary>Before the promotion.</summary>
    PreAcquire,
    /// <summary>Once the addresses are held.</summary>
    PostAcquire,
    /// <summary>Before the addresses go.</summary>
    PreRelease,
    /// <summary>Once the role is Standby.</summary>
    PostRelease,
}

/// <summary>Names of steps.</summary>
public static class HookSteps
{
    /// <summary>Name as in the configuration and in MIRRORD_STEP.</summary>
    public static string NameOf(this HookStep step) => step switch
    {
        HookStep.PreAcquire => "pre-acquire",
        HookStep.PostAcquire => "post-acquire",
        HookStep.PreRelease => "pre-release",
        HookStep.PostRelease => "post-release",
    };
}
