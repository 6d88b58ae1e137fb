using MirrorD.Core.Handshake;

namespace MirrorD.Simulator.Faults;

/// <summary>
/// What a whole run has to have met: each two kinds of fault soon after each other, and each case of the handshake table.
/// </summary>
public static class FaultAtlas
{
    /// <summary>A run of fewer seeds can't be expected to meet every pair.</summary>
    public const int SeedsForAllPairs = 2000;

    /// <summary>Each seed has only some kinds of fault, so that long runs of one kind are met too; each so many-th has all.</summary>
    public const int AllKindsEvery = 10;

    /// <summary>Two faults that are a pair are no further apart: mostly the first one has not ended yet.</summary>
    public const long PairNs = 2_000_000_000;

    /// <summary>The kinds.</summary>
    public static IReadOnlyList<FaultKind> Kinds { get; } = Enum.GetValues<FaultKind>();

    /// <summary>Those that are never drawn: they follow something that happened.</summary>
    public static IReadOnlyList<FaultKind> Following { get; } =
        [FaultKind.TakeoverDeath, FaultKind.ClaimantDeath, FaultKind.TargetPowerCut, FaultKind.BitRot];

    /// <summary>How often each two different kinds came as a pair, also those that never did; rarest first.</summary>
    /// <param name="faultsOfSeeds">For each seed kinds and times of its faults, in nanoseconds.</param>
    public static IReadOnlyList<(string Pair, int Count)> CountPairs(
        IEnumerable<IReadOnlyList<(FaultKind Kind, long TimeNs)>> faultsOfSeeds)
    {
        int[,] counts = new int[Kinds.Count, Kinds.Count];
        foreach (IReadOnlyList<(FaultKind Kind, long TimeNs)> faults in faultsOfSeeds)
        {
            for (int i = 0; i < faults.Count; i++)
            {
                for (int j = i + 1; j < faults.Count; j++)
                {
                    bool isPair = Math.Abs(faults[j].TimeNs - faults[i].TimeNs) <= PairNs;
                    int one = Math.Min((int)faults[i].Kind, (int)faults[j].Kind);
                    int other = Math.Max((int)faults[i].Kind, (int)faults[j].Kind);
                    counts[one, other] += isPair ? 1 : 0;
                }
            }
        }

        return
        [
            .. Kinds.SelectMany(one => Kinds.Where(other => other > one)
                .Select(other => ($"{one} with {other}", counts[(int)one, (int)other])))
                .OrderBy(pair => pair.Item2),
        ];
    }

    /// <summary>Cases of the handshake table that were not met, but for those that can't be.</summary>
    public static IReadOnlyList<string> MissingCases(IEnumerable<string> met) =>
        [.. Enum.GetNames<HandshakeCase>()
            .Except(met).Except(HandshakeStages.Unreachable.Keys.Select(each => each.ToString()))];
}
