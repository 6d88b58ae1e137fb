using System.Diagnostics;
using MirrorD.Lab;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>
/// Safety contract, section 5: the peer's daemon is gone or stands still, its host lives; with an arbiter.
/// </summary>
public sealed class ProcessTests(SharedPair shared) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options =
        PairOptions.Automatic with { Arbiter = true, ResourceLines = [ReleaseTimeout] };

    [HostFact]
    public void A_primary_that_stands_still_for_less_than_dead_after_stays_primary()
    {
        Witness.WaitForWrites(Primary);
        Primary.Daemon.Send(Signals.Stop);
        Wait.While(
            $"{Standby.Name} stays Standby", Pair.Options.DeadAfter!.Value.TotalSeconds / 3,
            () => Standby.TryStatus() is { IsPrimary: false });
        Primary.Daemon.Send(Signals.Continue);
        Witness.WaitForWrites(Primary);
        AssertNoTakeover();
        AssertBothNotified();
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
    }

    [HostFact]
    public void A_primary_that_stands_still_for_longer_is_taken_over_and_completes_nothing_new_when_it_wakes()
    {
        Witness.WaitForWrites(Primary);
        Primary.Daemon.Send(Signals.Stop);
        WaitForTakeover();

        // Its kernel still answers for the address: the arbiter's word counts, and the alarm says so.
        AssertNotified(Standby, "peer-lost", "takeover-blocked", "takeover");

        Primary.Daemon.Send(Signals.Continue);
        Wait.For($"{Primary.Name} to drop {Address}", 20, () => !Primary.Host.Holds(Address), () => Lab.Logs());
        AssertConverges();
        Assert.True(Standby.Status().IsPrimary);
    }

    [HostFact]
    public void A_standby_that_stands_still_costs_the_primary_nothing_but_one_notification()
    {
        Witness.WaitForWrites(Primary);
        Standby.Daemon.Send(Signals.Stop);
        Primary.WaitFor("to go on", 20, view => view.Proof == "ArbiterGrant");
        Witness.WaitForWrites(Primary);
        AssertNotified(Primary, "peer-lost");
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
        Assert.DoesNotContain("takeover", Notified(Standby));
    }

    [HostFact]
    public void A_killed_daemon_whose_service_manager_removes_the_address_is_taken_over_and_returns_as_standby()
    {
        Witness.WaitForWrites(Primary);
        var down = Stopwatch.StartNew();
        Primary.Daemon.Kill();
        Primary.RunReleaseHelper();
        Assert.False(Primary.Host.Holds(Address));
        WaitForTakeover();
        AssertNotified(Standby, "peer-lost", "takeover");

        int count = Witness.Of(Primary).Count;
        Wait.While(
            $"{Standby.Name} serves, {Primary.Name} does not", Math.Max(0, 30 - down.Elapsed.TotalSeconds),
            () => Witness.Of(Primary).Count == count && !Primary.Host.Holds(Address)
                && Witness.Violations().Count == 0);
        Witness.WaitForWrites(Standby);
        Primary.StartAndWait();
        AssertConverges();
        Assert.True(Standby.Status().IsPrimary);
    }

    [HostFact]
    public void A_killed_daemon_whose_address_stays_is_taken_over_with_an_alarm()
    {
        Witness.WaitForWrites(Primary);
        Primary.Daemon.Kill();
        WaitForTakeover();
        AssertNotified(Standby, "peer-lost", "takeover-blocked", "takeover");
        AssertConverges();
        Assert.True(Standby.Status().IsPrimary);
    }

    [HostFact]
    public void A_killed_standby_comes_back_and_joins_again()
    {
        Witness.WaitForWrites(Primary);
        Standby.Daemon.Kill();
        Primary.WaitFor("to go on", 20, view => view.Proof == "ArbiterGrant");
        Witness.WaitForWrites(Primary);
        AssertNotified(Primary, "peer-lost");
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
    }
}
