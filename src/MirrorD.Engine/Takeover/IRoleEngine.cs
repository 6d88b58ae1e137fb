using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Takeover;

/// <summary>The replica of a resource as the steps around its role need it. On the loop only.</summary>
public interface IRoleEngine
{
    /// <summary>Present role.</summary>
    Role Role { get; }

    /// <summary>
    /// Whether the command would be refused as things are now; asked before anything is done around it. Changes
    /// nothing.
    /// </summary>
    /// <returns>The refusal; null when the command is worth a try.</returns>
    CommandOutcome? RefusalOf(ResourceCommand command);

    /// <summary>
    /// Runs a command; the answer may come before this returns, later, or (a promotion that waits for something)
    /// never. Not from inside an event of the replica.
    /// </summary>
    void Run(ResourceCommand command, Action<CommandOutcome> answered);

    /// <summary>
    /// The peer asked for the role, and it can't be given up: the asker is told why. Not from inside an event of the
    /// replica.
    /// </summary>
    void RefuseRole(string reason);
}
