using MirrorD.Core.Volumes;
using MirrorD.Simulator.Faults;

namespace MirrorD.Simulator.Workload;

/// <summary>What happened in one seed, counted by the simulator.</summary>
public sealed class Tally
{
    /// <summary>Writes, zeroes and discards that were answered.</summary>
    public long Writes { get; set; }

    /// <summary>Those that succeeded.</summary>
    public long AcknowledgedWrites { get; set; }

    /// <summary>Reads that succeeded.</summary>
    public long Reads { get; set; }

    /// <summary>Flushes that succeeded.</summary>
    public long Flushes { get; set; }

    /// <summary>Processes killed.</summary>
    public long Crashes { get; set; }

    /// <summary>Power cuts of one node.</summary>
    public long PowerCuts { get; set; }

    /// <summary>Networks cut, in whichever way.</summary>
    public long Cuts { get; set; }

    /// <summary>Promotions without an operator, from a lost peer.</summary>
    public long Takeovers { get; set; }

    /// <summary>Promotions of a node without its peer, which had been promoted without it before and not joined since.</summary>
    public long AloneAgain { get; set; }

    /// <summary>Promotions without an operator, with the peer joined.</summary>
    public long RolesAtJoin { get; set; }

    /// <summary>Seeds in which both nodes went on, as the contract says that they can without arbiter.</summary>
    public long Splits { get; set; }

    /// <summary>Planned changes of the Primary that succeeded.</summary>
    public long Switchovers { get; set; }

    /// <summary>Promotions that succeeded, of those that no switchover was.</summary>
    public long Promotions { get; set; }

    /// <summary>Mutations and flushes completed without the peer.</summary>
    public long Alone { get; set; }

    /// <summary>Mutations completed on the peer's disk alone.</summary>
    public long Elsewhere { get; set; }

    /// <summary>Mutations answered while the peer's disk did not have them (modes memory and async).</summary>
    public long Ahead { get; set; }

    /// <summary>Takeovers that lacked some of them.</summary>
    public long AheadLost { get; set; }

    /// <summary>Copies that an operator discarded after a split.</summary>
    public long Discards { get; set; }

    /// <summary>Volumes whose copy gave way by a policy after a split.</summary>
    public long GivenUp { get; set; }

    /// <summary>Seeds that ended in a named state that an operator has to resolve.</summary>
    public long NamedStates { get; set; }

    /// <summary>Times the pair became joined.</summary>
    public long Joins { get; set; }

    /// <summary>Blocks that resyncs found equal by their hashes.</summary>
    public long EqualBlocks { get; set; }

    /// <summary>Resyncs that an operator paused while they ran.</summary>
    public long Pauses { get; set; }

    /// <summary>Volumes grown by the operator.</summary>
    public long Growths { get; set; }

    /// <summary>Nodes that an operator disconnected.</summary>
    public long Disconnects { get; set; }

    /// <summary>Copies that an operator threw away.</summary>
    public long Invalidated { get; set; }

    /// <summary>Blocks that resyncs sent as data.</summary>
    public long SentBlocks { get; set; }

    /// <summary>Cases of the handshake table that were met.</summary>
    public List<string> Cases { get; } = [];

    /// <summary>Rows of the decision table that were met.</summary>
    public List<string> Rows { get; } = [];

    /// <summary>Faults that had something to strike, with the world's time.</summary>
    public List<(FaultKind Kind, long TimeNs)> Faults { get; } = [];

    /// <summary>Faults of disks, as far as anybody noticed.</summary>
    public List<string> DiskFaults { get; } = [];

    /// <summary>Requests of the kernel's block devices.</summary>
    public long DeviceRequests { get; set; }

    /// <summary>Sendings of such a request after its first.</summary>
    public long Replays { get; set; }

    /// <summary>Those that ended with EIO, by their answer, with their device or with their host.</summary>
    public long DeviceErrors { get; set; }

    /// <summary>Daemons restarted in order.</summary>
    public long Restarts { get; set; }

    /// <summary>Ranges that verifies compared.</summary>
    public long Verified { get; set; }

    /// <summary>Of them, those that differed, as both disks showed.</summary>
    public long FoundDifferent { get; set; }

    /// <summary>Counts an answered request.</summary>
    public void Count(VolumeOperation operation, bool succeeded)
    {
        if (operation is VolumeOperation.Write or VolumeOperation.Zero or VolumeOperation.Discard)
        {
            Writes++;
            AcknowledgedWrites += succeeded ? 1 : 0;
        }
        else if (succeeded && operation == VolumeOperation.Flush)
        {
            Flushes++;
        }
        else if (succeeded)
        {
            Reads++;
        }
    }

    /// <summary>Names and values, in the order of a report.</summary>
    public IEnumerable<(string Name, long Value)> Values =>
    [
        ("writes", Writes), ("acknowledged", AcknowledgedWrites), ("reads", Reads), ("flushes", Flushes),
        ("crashes", Crashes), ("power cuts", PowerCuts), ("network cuts", Cuts), ("switchovers", Switchovers),
        ("promotions", Promotions), ("alone", Alone), ("elsewhere", Elsewhere), ("joins", Joins),
        ("takeovers", Takeovers), ("alone again", AloneAgain), ("roles at join", RolesAtJoin), ("splits", Splits),
        ("named states", NamedStates), ("discards", Discards), ("given up", GivenUp), ("of devices", DeviceRequests), ("replays", Replays),
        ("EIO of devices", DeviceErrors), ("restarts", Restarts),
        ("ahead", Ahead), ("ahead and lost", AheadLost),
        ("blocks resynced", SentBlocks), ("blocks equal", EqualBlocks), ("pauses", Pauses), ("growths", Growths),
        ("disconnects", Disconnects), ("invalidated", Invalidated),
        ("ranges verified", Verified), ("found different", FoundDifferent),
    ];
}
