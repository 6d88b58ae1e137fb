namespace MirrorD.Fuzz.Planted;

/// <summary>All planted bugs, three for each target, written down from reading the parsers.</summary>
public static partial class PlantedBugs
{
    /// <summary>In the order of the targets.</summary>
    public static IReadOnlyList<PlantedBug> List => [.. Nbd, .. Peer, .. Watch, .. Metadata, .. Node, .. Identity, .. Linux];
}
