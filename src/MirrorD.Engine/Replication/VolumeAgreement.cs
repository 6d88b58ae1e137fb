using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Engine.Replication;

/// <summary>
/// Resource fields stand in every volume. A crash between two volumes' stores leaves some one step behind: what the
/// newest says was about to be stored everywhere and nothing relied on it yet, so it is taken everywhere (as if the
/// crash had come just after). A disk that takes no metadata leaves its volume further behind, and the others say that
/// the copy does not count: then everything has to be copied, whatever its map says. Anything else is disagreement and
/// needs an operator.
/// </summary>
internal static class VolumeAgreement
{
    /// <summary>
    /// Stores that a disk may have missed before it is used no more, with some room. Who is further behind is an old disk.
    /// </summary>
    private const int MostSteps = 8;

    /// <summary>
    /// Makes the states agree in place; null, or why they can't. <paramref name="stores"/> says how often each volume
    /// has to be stored, which also brings all sequences to the same number.
    /// </summary>
    public static string? RollForward(Superblock[] states, int[] stores)
    {
        Superblock newest = states.MaxBy(s => s.Sequence)!;
        ulong steps = newest.Sequence - states.Min(s => s.Sequence);
        if (steps is > 1 and <= MostSteps && newest.DiskState == DiskState.Inconsistent)
        {
            TakeEverywhere(newest with { FullSyncNeeded = true, Sequence = newest.Sequence + 1 }, states, stores);
            return null;
        }

        for (int i = 0; i < states.Length; i++)
        {
            Superblock state = states[i];
            if (state.Sequence == newest.Sequence)
            {
                if (!SameResource(state, newest))
                {
                    return $"volumes {state.VolumeName} and {newest.VolumeName} disagree about the resource: their "
                        + "disks come from different times; restore the right one, or create the resource anew";
                }
            }
            else if (state.Sequence + 1 == newest.Sequence)
            {
                stores[i] = 1;
                states[i] = Take(state, newest);
            }
            else
            {
                return $"volume {state.VolumeName} is {newest.Sequence - state.Sequence} changes behind "
                    + $"{newest.VolumeName}: its disk comes from an earlier time; restore the right one, or create "
                    + "the resource anew";
            }
        }

        return null;
    }

    /// <summary>One more store of each volume says that the copy does not count until it was resynced.</summary>
    public static void Distrust(Superblock[] states, int[] stores) => Change(states, stores, state => state with
    {
        DiskState = state.DiskState > DiskState.Inconsistent ? DiskState.Inconsistent : state.DiskState,
    });

    /// <summary>
    /// One more store of each volume says that the data is an older, whole copy: what it lacks may have left the peer's map,
    /// so that everything has to be copied.
    /// </summary>
    public static void Revert(Superblock[] states, int[] stores) => Change(states, stores, state => state with
    {
        DiskState = DiskState.Outdated,
        FullSyncNeeded = true,
        ResyncFrom = Generation.None,
    });

    private static void Change(Superblock[] states, int[] stores, Func<Superblock, Superblock> change)
    {
        for (int i = 0; i < states.Length; i++)
        {
            stores[i]++;
            states[i] = change(states[i]) with { Sequence = states[i].Sequence + 1 };
        }
    }

    /// <summary>Each store raises a volume's number by one.</summary>
    private static void TakeEverywhere(Superblock next, Superblock[] states, int[] stores)
    {
        for (int i = 0; i < states.Length; i++)
        {
            stores[i] = (int)(next.Sequence - states[i].Sequence);
            states[i] = Take(states[i], next);
        }
    }

    private static bool SameResource(Superblock a, Superblock b) =>
        a.Current == b.Current && a.Bitmap == b.Bitmap && a.Session == b.Session && a.Promotions == b.Promotions
        && a.DiskState == b.DiskState && a.Proof == b.Proof && a.PeerExcluded == b.PeerExcluded
        && a.PeerMayHaveCurrent == b.PeerMayHaveCurrent && a.WasPrimary == b.WasPrimary
        && a.JustCreated == b.JustCreated && a.ResyncFrom == b.ResyncFrom && a.FullSyncNeeded == b.FullSyncNeeded
        && a.Disconnected == b.Disconnected;

    private static Superblock Take(Superblock own, Superblock newest) => newest with
    {
        VolumeIndex = own.VolumeIndex,
        VolumeName = own.VolumeName,
        DataBytes = own.DataBytes,
    };
}
