using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Faults;

namespace MirrorD.Simulator;

/// <summary>The policies of a seed for a split brain, drawn apart from everything else; most seeds have none.</summary>
public static class PolicyDraw
{
    /// <summary>No seed has one: canaries of other rules are tried without.</summary>
    public static bool IsOff { get; set; }

    /// <summary>All seeds have this one, and part their nodes: for the canary that only a policy can show.</summary>
    public static SplitBrainPolicy? Favoured { get; set; }

    /// <summary>The scenario with its policies; in half of those with one the nodes part, and both go on, time and again.</summary>
    public static Scenario Apply(Scenario scenario)
    {
        var random = new SeededRandom(scenario.Seed ^ 0x706f6c69);
        if (IsOff || (Favoured is null && random.Percent(70)))
        {
            return scenario;
        }

        SplitBrainPolicy Draw() => Favoured
            ?? (random.Percent(50) ? SplitBrainPolicy.DiscardUnchanged : SplitBrainPolicy.DiscardStandby);
        SplitBrainPolicy policy = Draw();
        Scenario drawn = scenario with { PolicyOfA = policy, PolicyOfB = random.Percent(80) ? policy : Draw() };
        return scenario.IsEchoing || scenario.HasAllKinds || (Favoured is null && random.Percent(50)) ? drawn
            : Splitting(drawn, random);
    }

    private static Scenario Splitting(Scenario scenario, SeededRandom random)
    {
        int[] weights = [.. scenario.FaultWeights];
        weights[(int)FaultKind.Partition] += 2 * weights.Max();
        return scenario with
        {
            HasArbiter = false,
            HasGateway = true,
            OnPeerLoss = PeerLoss.Continue,
            Autoswitch = true,
            HasLongFaults = true,
            FaultEveryNs = random.Between(1000, 3000) * 1_000_000,
            FaultWeights = weights,
        };
    }
}
