using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Takeover;

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
