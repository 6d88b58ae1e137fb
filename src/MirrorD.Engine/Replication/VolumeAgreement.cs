using MirrorD.Formats.Metadata;

namespace MirrorD.Engine.Replication;

/// <summary>
/// Resource fields stand in every volume. A crash between two volumes' stores leaves some one step behind: what the
/// newest says was about to be stored everywhere and nothing relied on it yet, so it is taken everywhere (as if the
/// crash had come just after). Anything else is disagreement and needs an operator.
/// </summary>
internal static class VolumeAgreement
{
    /// <summary>
    /// Makes the states agree in place; null, or why they can't. Those in <paramref name="behind"/> have to be stored
    /// once, which also brings their sequence up to the others'.
    /// </summary>
    public static string? RollForward(Superblock[] states, List<int> behind)
    {
        Superblock newest = states.MaxBy(s => s.Sequence)!;
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
                behind.Add(i);
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

    private static bool SameResource(Superblock a, Superblock b) =>
        a.Current == b.Current && a.Bitmap == b.Bitmap && a.Session == b.Session && a.Promotions == b.Promotions
        && a.DiskState == b.DiskState && a.Proof == b.Proof && a.PeerExcluded == b.PeerExcluded
        && a.PeerMayHaveCurrent == b.PeerMayHaveCurrent && a.WasPrimary == b.WasPrimary
        && a.JustCreated == b.JustCreated && a.ResyncFrom == b.ResyncFrom && a.FullSyncNeeded == b.FullSyncNeeded;

    private static Superblock Take(Superblock own, Superblock newest) => newest with
    {
        VolumeIndex = own.VolumeIndex,
        VolumeName = own.VolumeName,
        DataBytes = own.DataBytes,
    };
}
