using MirrorD.Engine.Control;

namespace MirrorD.Daemon.Resources;

/// <summary>Who is told what the engine says. Every member returns at once.</summary>
internal interface IResourceOwner
{
    /// <summary>A change of role has ended.</summary>
    void RoleRecorded(RoleRecord record);

    /// <summary>A step around the role failed in a way that nobody foresaw.</summary>
    void Trouble(Exception failed);

    void Published(ResourceStatus status);

    void Raised(ResourceEvent happened);
}
