using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Resources;

/// <summary>Who is told what the engine says. Every member returns at once.</summary>
internal interface IResourceOwner
{
    void RoleChanged(Role role, string reason);

    void PeerRequestsRole();

    void Published(ResourceStatus status);

    void Raised(ResourceEvent happened);
}
