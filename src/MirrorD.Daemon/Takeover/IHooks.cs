using MirrorD.Formats;

namespace MirrorD.Daemon.Takeover;

/// <summary>When a hook runs.</summary>
internal enum HookStep
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

/// <summary>The operator's commands around taking over and releasing.</summary>
internal interface IHooks
{
    /// <summary>
    /// Runs the commands of a step one after the other, each with a deadline, up to the first failure.
    /// </summary>
    /// <param name="step">The step.</param>
    /// <param name="role">Role told to the commands.</param>
    /// <param name="stop">Kills the running command.</param>
    /// <returns>Null when all succeeded; else what failed and how.</returns>
    Task<string?> Run(HookStep step, Role role, CancellationToken stop);
}
