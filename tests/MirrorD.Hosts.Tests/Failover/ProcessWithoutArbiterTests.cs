using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>As <see cref="ProcessTests"/>, without arbiter.</summary>
public sealed class ProcessWithoutArbiterTests(SharedPair shared) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options =
        PairOptions.Automatic with { Gateway = true, ResourceLines = [ReleaseTimeout] };

    [HostFact]
    public void While_the_address_of_a_killed_daemon_stays_nobody_takes_over_and_an_alarm_says_so()
    {
        Witness.WaitForWrites(Primary);
        Primary.Daemon.Kill();
        WaitForNotification(Standby, "takeover-blocked");
        AssertNoTakeover();
        AssertNotified(Standby, "peer-lost", "takeover-blocked");

        // What the service manager would have done in time.
        Primary.RunReleaseHelper();
        WaitForTakeover();
        AssertNotified(Standby, "peer-lost", "takeover-blocked", "takeover");
        AssertConverges();

        // The same alarm is not told again within a minute.
        Spoil();
    }

    [HostFact]
    public void A_primary_that_stands_still_keeps_its_role_since_its_address_still_answers()
    {
        Witness.WaitForWrites(Primary);
        Primary.Daemon.Send(Signals.Stop);
        WaitForNotification(Standby, "takeover-blocked");
        AssertNoTakeover();
        Primary.Daemon.Send(Signals.Continue);
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
        Assert.DoesNotContain("takeover", Notified(Standby));
        Spoil();
    }
}
