using MirrorD.Fuzz.Planted;
using MirrorD.Fuzz.Running;
using MirrorD.Fuzz.Targets;

namespace MirrorD.Fuzz.Tests;

/// <summary>The planted bugs can still be planted.</summary>
public class PlantedBugsTests
{
    [Fact]
    public void Each_old_text_stands_there_once()
    {
        foreach (PlantedBug bug in PlantedBugs.List)
        {
            string source = File.ReadAllText(Path.Combine(Places.Root, bug.File));
            Assert.True(source.Split(bug.Old).Length == 2, $"{bug.File} has not exactly once: {bug.Old}");
        }
    }

    [Fact]
    public void Each_target_has_three() => Assert.All(
        AllTargets.List, target => Assert.Equal(3, PlantedBugs.List.Count(bug => bug.Target == target.Name)));
}
