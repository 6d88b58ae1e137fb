using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Faults;

/// <content>Two losses of the link, one soon after the other: what was said of the first comes in the second.</content>
internal sealed partial class Fault
{
    private const long JoinsWithinNs = 3000 * Millisecond;
    private const long LooksEveryNs = 5 * Millisecond;

    /// <summary>
    /// The Standby's answers to the first loss are held back until the second one; its heartbeats are not, so that it stays
    /// heard.
    /// </summary>
    private void Flap()
    {
        Networks.Cut(Networks.Dedicated, "a", "b");
        long lossNs = simulation.Scenario.LinkTimeoutMs * Millisecond;
        simulation.World.Schedule(lossNs - random.Between(0, 100) * Millisecond, () =>
        {
            if (Standbys() is [var standby, ..])
            {
                Hold(standby, onlyControl: true);
            }
        });
        long backNs = random.Between(500, 1000) * Millisecond;
        simulation.World.Schedule(backNs, () =>
        {
            Networks.Mend(Networks.Dedicated, "a", "b");
            OnceJoined(simulation.World.NowNs + JoinsWithinNs, IsJoined, () =>
            {
                long partNs = random.Between(5, 600) * Millisecond;
                PartSoon(partNs);
                simulation.World.Schedule(partNs + random.Below(250) * Millisecond, Networks.LetGo);
            });
        });
    }

    /// <summary>
    /// All that a stopped Standby said is held back until it has joined again: its next process is heard only after it, or
    /// what the ended one said would not count any more.
    /// </summary>
    private void ReturnHastily()
    {
        if (Array.Find(simulation.Nodes, IsJoinedStandby) is not { } standby)
        {
            return;
        }

        SimulatedLoop? stopped = standby.Loop;
        Hold(standby, onlyControl: false);
        simulation.Operator.StopNode(standby, 200 * Millisecond);
        OnceJoined(simulation.World.NowNs + JoinsWithinNs, () => standby.Loop != stopped && IsJoined(), () =>
        {
            Networks.LetGo();
            PartSoon(random.Between(20, 1000) * Millisecond);
        });
    }

    private static bool IsJoinedStandby(SimulatedNodeState node) =>
        node.Status is { Role: Role.Standby, Link: LinkState.Joined };

    private bool IsJoined() => Array.TrueForAll(simulation.Nodes, node => node.Status?.Link == LinkState.Joined);

    /// <summary>The link is lost, and the Standby stands still: nothing new is said.</summary>
    private void PartSoon(long afterNs) => simulation.World.Schedule(afterNs, () =>
    {
        if (!injector.IsStopped)
        {
            Networks.Cut(Networks.Dedicated, "a", "b");
            simulation.World.Network.Reset("a", "b");
            Array.ForEach(Standbys(), node => node.Pause(random.Between(500, 2000) * Millisecond));
            AfterAWhile(() => Networks.Mend(Networks.Dedicated, "a", "b"));
        }
    });

    private SimulatedNodeState[] Standbys() =>
        Array.FindAll(simulation.Nodes, node => node.Status?.Role == Role.Standby);

    private void Hold(SimulatedNodeState node, bool onlyControl)
    {
        if (!injector.IsStopped)
        {
            Networks.HoldBack(node.Name, onlyControl);
        }
    }

    /// <summary>Goes on when the pair is joined, or does not become so in time.</summary>
    private void OnceJoined(long untilNs, Func<bool> isJoined, Action then)
    {
        if (simulation.World.NowNs >= untilNs || isJoined())
        {
            then();
        }
        else
        {
            simulation.World.Schedule(LooksEveryNs, () => OnceJoined(untilNs, isJoined, then));
        }
    }
}
