using MirrorD.Daemon.Takeover;

namespace MirrorD.Daemon.Tests.Takeover;

/// <summary>The list of addresses that an earlier process left behind.</summary>
public class HeldAddressFileTests
{
    [Theory]
    [InlineData("eth0 10.0.0.1/24", 1)]
    [InlineData("eth0 2001:db8::1/128", 1)]
    [InlineData("eth0 10.0.0.1/33", 0)]
    [InlineData("eth0 2001:db8::1/129", 0)]
    [InlineData(" 10.0.0.1/24", 0)]
    [InlineData("eth0 10.0.0.1/-1", 0)]
    [InlineData("eth0 10.0.0.1", 0)]
    [InlineData("eth0 mail/24", 0)]
    public void A_line_that_can_be_no_address_is_left_out(string line, int listed)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.At("held"), $"mirrord-held 1 5 77\n{line}\n");

        Assert.Equal(listed, new HeldAddressFile(directory.At("held")).Listed().Count);
    }
}
