namespace MirrorD.Simulator.Tests;

/// <summary>A Primary without disk in the whole simulation, with all checks on.</summary>
public class DiskLossTests
{
    [Fact]
    public void A_primary_without_disk_finds_the_copy_again_that_it_goes_on_with() =>
        Assert.True(HandshakeStages.MeetsWithoutDisk());
}
