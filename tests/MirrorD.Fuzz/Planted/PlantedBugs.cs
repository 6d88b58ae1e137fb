namespace MirrorD.Fuzz.Planted;

/// <summary>All planted bugs, three for each target.</summary>
public static class PlantedBugs
{
    /// <summary>In the order of the targets.</summary>
    public static IReadOnlyList<PlantedBug> List { get; } = [];
}
