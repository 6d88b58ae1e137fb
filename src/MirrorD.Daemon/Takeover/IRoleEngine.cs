using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Takeover;

/// <summary>The engine of a resource as the steps of takeover and release need it.</summary>
internal interface IRoleEngine
{
    /// <summary>Role as last published.</summary>
    Role Role { get; }

    /// <summary>Runs a command on the resource's loop.</summary>
    Task<CommandOutcome> Run(ResourceCommand command);
}
