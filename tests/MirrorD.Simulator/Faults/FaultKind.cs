namespace MirrorD.Simulator.Faults;

/// <summary>What can go wrong; each ends by itself after a while.</summary>
public enum FaultKind
{
    /// <summary>A process is killed; its host lives.</summary>
    Kill,
    /// <summary>A node loses power.</summary>
    PowerCut,
    /// <summary>Both nodes lose power.</summary>
    BothPowerCut,
    /// <summary>The dedicated network is cut.</summary>
    DedicatedCut,
    /// <summary>One direction of the dedicated network is cut.</summary>
    DedicatedOneWay,
    /// <summary>All connections between the nodes are reset.</summary>
    Reset,
    /// <summary>A daemon is stopped as planned.</summary>
    PlannedStop,
    /// <summary>A process stands still.</summary>
    Pause,
    /// <summary>The production network is cut between the nodes.</summary>
    ProductionCut,
    /// <summary>One direction of the production network is cut between the nodes.</summary>
    ProductionOneWay,
    /// <summary>A node's production interface loses its carrier.</summary>
    CarrierLoss,
    /// <summary>A node loses both networks.</summary>
    Isolation,
    /// <summary>Both networks are cut between the nodes; everybody else is on either side.</summary>
    Partition,
    /// <summary>One direction of both networks is cut between the nodes.</summary>
    OneWayPartition,
    /// <summary>The gateway dies.</summary>
    GatewayDeath,
    /// <summary>The arbiter can't be reached by one node or both.</summary>
    ArbiterAway,
    /// <summary>Claims are made, and one node or both hear nothing of it.</summary>
    ArbiterMute,
    /// <summary>A host's clock jumps forward.</summary>
    ClockJump,
    /// <summary>
    /// The dedicated network is cut, comes back, and is cut again while the Standby stands still: what was said of the
    /// first loss comes in the second.
    /// </summary>
    Flap,
    /// <summary>The loop of a resource stands still, and the watch goes on.</summary>
    StuckLoop,
    /// <summary>
    /// A daemon restarts: it answers what it has, and its block devices wait for the next one.
    /// </summary>
    Restart,
    /// <summary>A process is killed, and mostly back before its peer takes over.</summary>
    QuickKill,
    /// <summary>The connection between a block device and its daemon dies.</summary>
    DeviceCut,
    /// <summary>
    /// Some operations of a node's disks take up to seconds; often the link is lost while they are under way.
    /// </summary>
    SlowDisk,
    /// <summary>
    /// A node that has just taken over dies and is back soon; the old Primary is heard again, and not over the link.
    /// </summary>
    TakeoverDeath,
    /// <summary>
    /// A Standby dies as soon as it has stored the right to take over, and is back soon; the old Primary is heard again, and
    /// not over the link.
    /// </summary>
    ClaimantDeath,
    /// <summary>A node loses power soon after its copy has begun to be overwritten.</summary>
    TargetPowerCut,
    /// <summary>
    /// A Standby is stopped as planned and back at once; its goodbye comes late, and then the link is lost.
    /// </summary>
    HastyReturn,
    /// <summary>While a node is down a superblock slot or a page of the dirty map goes bad; once in a seed.</summary>
    BitRot,
    /// <summary>
    /// Each direction of each way between nodes, gateway, clients and arbiter is cut at a time of its own, and each way is
    /// mended at one of its own: for a while everybody hears somebody else.
    /// </summary>
    Swizzle,
}
