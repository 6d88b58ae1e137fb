using MirrorD.Lab;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>Safety contract, section 6: what happens to the service address while it is held.</summary>
public sealed class ServiceAddressTests(SharedPair shared) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options =
        PairOptions.Automatic with { Arbiter = true, ResourceLines = [ReleaseTimeout] };

    [HostFact]
    public void A_deleted_address_is_restored_and_announced()
    {
        using var watch = new ArpWatch(Lab.Client);
        Primary.Host.Run("ip", "addr", "del", $"{Address}/32", "dev", Host.ProductionInterface).Require();
        Wait.For($"{Primary.Name} to hold {Address} again", 20, () => Primary.Host.Holds(Address), () => Lab.Logs());
        string hardwareAddress = Primary.Host.HardwareAddress(Host.ProductionInterface);
        Wait.For(
            "its announcement", 20, () => watch.GratuitousRequests(Address, hardwareAddress) > 0, watch.Tail);
        Assert.True(Primary.Status().IsPrimary);
    }

    [HostFact]
    public void Another_host_with_the_address_is_an_alarm_and_changes_nothing()
    {
        Lab.Client.Run("ip", "addr", "add", $"{Address}/32", "dev", Host.ProductionInterface).Require();
        Lab.Client.Run("arping", "-c", "2", "-U", "-I", Host.ProductionInterface, Address);
        WaitForNotification(Primary, "address-conflict");
        Lab.Client.Forget(Address);
        AssertNotified(Primary, "address-conflict");
        Assert.True(Primary.Status().IsPrimary);
        Assert.True(Primary.Host.Holds(Address));
    }

    [HostFact]
    public void An_address_in_use_elsewhere_is_found_before_a_takeover()
    {
        Witness.WaitForWrites(Primary);
        Primary.LoseHost();
        Lab.Gateway.Run("ip", "addr", "add", $"{Address}/32", "dev", Host.ProductionInterface).Require();
        WaitForNotification(Standby, "takeover-blocked");
        Lab.Gateway.Forget(Address);
        WaitForTakeover();
        AssertNotified(Standby, "peer-lost", "takeover-blocked", "takeover");
        AssertConverges();
    }
}
