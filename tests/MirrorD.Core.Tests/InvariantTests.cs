namespace MirrorD.Core.Tests;

public class InvariantTests
{
    [Fact]
    public void A_broken_rule_ends_the_program_and_names_the_place()
    {
        var violation = Assert.Throws<InvariantViolation>(
            () => Invariant.Require(1 > 2, "one is more than two"));
        Assert.Contains("one is more than two (InvariantTests.cs:", violation.Message);
    }
}
