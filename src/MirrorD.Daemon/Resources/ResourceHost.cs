using System.Security.Cryptography;
using MirrorD.Daemon.Arbitration;
using MirrorD.Daemon.Devices;
using MirrorD.Daemon.Takeover;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// What the engine of a resource needs of this daemon. Called on the loop's thread, and never blocks it:
/// everything that may take time is passed on.
/// </summary>
/// <param name="loop">Where answers go.</param>
/// <param name="arbiter">Claims; null without arbiter.</param>
/// <param name="hooks">The operator's commands.</param>
/// <param name="addresses">The service addresses.</param>
/// <param name="devices">The block devices.</param>
/// <param name="copies">The copies, for reading.</param>
/// <param name="questions">What the production network is asked.</param>
/// <param name="owner">The resource.</param>
internal sealed partial class ResourceHost(
    IIoLoop loop, ArbiterClaims? arbiter, HookRunner hooks, IServiceAddresses addresses,
    ResourceDevices devices, CopyExports copies, NeighbourQuestions questions, IResourceOwner owner)
    : IResourceHost
{
    public bool HasArbiter => arbiter is not null;

    public void ClaimSession(string resource, SessionId session, NodeId node, Action<ArbiterAnswer> answered)
    {
        if (arbiter is null)
        {
            loop.Post(() => answered(ArbiterAnswer.None));
        }
        else
        {
            arbiter.Claim(resource, session, node, answer => loop.Post(() => answered(answer)));
        }
    }

    public ulong NewIdentifier() => RandomIdentifier.New();

    public void FillRandom(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);

    public void Publish(ResourceStatus status) => owner.Published(status);

    public void Raise(ResourceEvent happened) => owner.Raised(happened);
}
