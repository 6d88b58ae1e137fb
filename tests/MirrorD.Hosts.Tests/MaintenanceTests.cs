using System.Diagnostics;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>
/// Nodes that an operator disconnects and connects again, and copies that are thrown away, with real daemons that would take
/// over by themselves. The witnesses are fio, the counters of the link, and cmp, which looks at the disks past the daemons.
/// </summary>
public sealed class MaintenanceTests : PairTest
{
    private static readonly PairOptions s_options = PairOptions.Automatic with { Gateway = true };

    private static double TakeoverSeconds => 3 * s_options.DeadAfter!.Value.TotalSeconds;

    /// <summary>What freezes until somebody takes over takes longer.</summary>
    private static TimeSpan LongestWait => TimeSpan.FromSeconds(TakeoverSeconds);

    [HostFact]
    public void A_standby_is_disconnected_under_load_and_gets_what_was_written_meanwhile()
    {
        Pair pair = StartPair(s_options);
        var fio = new FioRun(Lab, pair.A.Export(), clients: 1, bytesPerClient: 4 << 20);
        Wait.For("fio to write", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);
        (long ofA, long ofB) = (pair.A.LastEvent(), pair.B.LastEvent());
        using (var client = new SteadyWriter(pair.A.Export()))
        {
            pair.B.Control("disconnect", Pair.ResourceName).Require();
            pair.B.WaitFor("to be disconnected", 10, view => view is { HoldUp: "Disconnected", DiskState: "Outdated" });
            pair.A.WaitFor("to say so too, and to go on", 10, view =>
                view is { HoldUp: "Disconnected", Proof: "PeerOutdated", IsPrimary: true });
            Wait.While("nobody takes over or connects", TakeoverSeconds, () =>
                pair.A.Status() is { IsPrimary: true, Link: "Disconnected" }
                && pair.B.Status() is { IsPrimary: false, Link: "Disconnected" });
            client.RequireSteady(LongestWait);
        }

        // Nothing but the operator's own act is told.
        Assert.Empty(pair.A.EventKinds(ofA));
        Assert.Equal(["disconnected"], pair.B.EventKinds(ofB));
        Assert.Contains("mirrorctl connect mail, on b", pair.A.Explain());

        pair.B.Daemon.Terminate();
        pair.B.StartAndWait();
        pair.B.WaitFor("to be disconnected still", 10, view => view.HoldUp == "Disconnected");
        pair.A.WaitFor("to hear so", 10, view => view.HoldUp == "Disconnected");
        Wait.While("nobody connects", 2, () =>
            pair.A.Status().Link == "Disconnected" && pair.B.Status().Link == "Disconnected");

        // What fio has under way ends behind it.
        fio.Pause();
        long dirty = -1;
        Wait.For("fio's last writes", 20, () =>
            dirty == (dirty = pair.A.Status().DirtyBytes("data")) && pair.A.Status().HeldRequests == 0);
        Assert.InRange(dirty, 4096, 16 << 20);
        LinkBytes before = Lab.Link.ReadBytes();
        pair.B.Control("connect", Pair.ResourceName).Require();
        pair.WaitUntilJoined(60);
        Assert.InRange(Lab.Link.ReadBytes().Since(before).Both, 0, dirty + (dirty / 4096 * 512) + (512 << 10));
        Assert.Contains("BitmapSync", pair.B.Control("events").Require().Output);
        fio.Resume();
        fio.StopAndRequireClean();
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void A_primary_is_disconnected_under_load_and_nobody_takes_over_from_it_even_when_it_dies()
    {
        Pair pair = StartPair(s_options);
        var fio = new FioRun(Lab, pair.A.Export(), clients: 1, bytesPerClient: 4 << 20);
        Wait.For("fio to write", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);
        using (var client = new SteadyWriter(pair.A.Export()))
        {
            pair.A.Control("disconnect", Pair.ResourceName).Require();
            pair.A.WaitFor("to be disconnected and to go on", 10, view =>
                view is { HoldUp: "Disconnected", Proof: "PeerOutdated", IsPrimary: true });
            pair.B.WaitFor("to know", 10, view => view is { HoldUp: "Disconnected", DiskState: "Outdated" });
            ToolResult wrong = pair.B.Control("connect", Pair.ResourceName);
            Assert.Contains("on a: mirrorctl connect mail", wrong.Error);
            client.RequireSteady(LongestWait);
        }

        fio.StopAndRequireClean();
        pair.A.Daemon.Kill();
        Wait.While("b takes nothing over", TakeoverSeconds, () => !pair.B.Status().IsPrimary);
        Assert.False(pair.B.Control("promote", Pair.ResourceName).Succeeded);
        pair.A.StartAndWait();
        pair.A.WaitFor("to serve again, disconnected", 30, view => view is { IsPrimary: true, HoldUp: "Disconnected" });
        using (var client = new SteadyWriter(pair.A.Export()))
        {
            client.RequireSteady(LongestWait);
        }

        pair.A.Control("connect", Pair.ResourceName).Require();
        pair.WaitUntilJoined(60);
        Assert.True(pair.A.Status().IsPrimary);
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void A_disconnected_standby_takes_nothing_over_from_a_primary_that_dies()
    {
        Pair pair = StartPair(s_options);
        pair.B.Control("disconnect", Pair.ResourceName).Require();
        pair.A.WaitFor("to go on alone", 10, view => view is { HoldUp: "Disconnected", Proof: "PeerOutdated" });
        pair.A.Daemon.Kill();
        Wait.While("b takes nothing over", TakeoverSeconds, () => !pair.B.Status().IsPrimary);
        Assert.False(pair.B.Control("promote", Pair.ResourceName).Succeeded);
        pair.A.StartAndWait();
        pair.A.WaitFor("to serve again", 30, view => view.IsPrimary);
        pair.B.Control("connect", Pair.ResourceName).Require();
        pair.WaitUntilJoined(60);
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void A_copy_that_is_thrown_away_under_load_comes_back_whole_and_damage_on_it_is_gone()
    {
        // Above what fio writes to, where data lies already.
        const long planted = 40L << 20;
        const int old = 1 << 20;
        Pair pair = StartPair(s_options);
        byte[] data = new byte[old];
        new Random(1).NextBytes(data);
        using (NbdConnection client = NbdConnection.Connect(pair.A.Export()))
        {
            client.Write(planted, data);
            client.Flush();
        }

        var fio = new FioRun(Lab, pair.A.Export(), clients: 1, bytesPerClient: 4 << 20);
        Wait.For("fio to write", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);
        string damage = $"printf damaged | dd of={pair.B.Disk()} bs=1 seek={planted + 5000} conv=notrunc,fsync";
        Tool.Run("sh", "-c", damage).Require();
        Assert.False(pair.A.Control("invalidate", Pair.ResourceName, "--yes").Succeeded);
        string session = pair.B.Status().Session!;
        LinkBytes before = Lab.Link.ReadBytes();
        using (var client = new SteadyWriter(pair.A.Export()))
        {
            pair.B.Control("invalidate", Pair.ResourceName, "--yes").Require();
            pair.B.WaitFor("to be joined anew", 60, view => view.IsJoined && view.Session != session);
            client.RequireSteady(LongestWait);
        }

        Assert.InRange(Lab.Link.ReadBytes().Since(before).FromA, old, long.MaxValue);
        Assert.Contains("FullSync", pair.B.Control("events").Require().Output);
        Assert.True(pair.A.Status().IsPrimary);
        pair.WaitUntilJoined(60);
        fio.StopAndRequireClean();
        WaitUntilIdentical(pair);
        using NbdConnection reader = NbdConnection.Connect(pair.A.Export());
        byte[] read = new byte[old];
        reader.Read(planted, read);
        Assert.Equal(data, read);
    }

    /// <summary>One write after the other, near the end of the volume, each timed.</summary>
    private sealed class SteadyWriter : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Thread _thread;
        private Exception? _failed;
        private long _longestTicks;
        private long _writes;

        public SteadyWriter(string socket)
        {
            NbdConnection client = NbdConnection.Connect(socket);
            long at = client.LengthBytes - (1 << 20);
            _thread = new Thread(() =>
            {
                using (client)
                {
                    Write(client, at);
                }
            });
            _thread.Start();
            WaitForWrites(10);
        }

        /// <summary>All succeeded, none took longer, and they still do.</summary>
        public void RequireSteady(TimeSpan longest)
        {
            WaitForWrites(Interlocked.Read(ref _writes) + 50);
            TimeSpan took = TimeSpan.FromSeconds(Interlocked.Read(ref _longestTicks) / (double)Stopwatch.Frequency);
            Assert.True(took < longest, $"a write took {took}");
            Assert.Null(_failed);
        }

        public void Dispose()
        {
            _stop.Cancel();
            _thread.Join();
            _stop.Dispose();
        }

        private void WaitForWrites(long number) => Wait.For(
            "writes", 30, () => _failed is not null || Interlocked.Read(ref _writes) >= number, () => $"{_failed}");

        private void Write(NbdConnection client, long at)
        {
            byte[] block = new byte[4096];
            try
            {
                while (!_stop.IsCancellationRequested)
                {
                    long begun = Stopwatch.GetTimestamp();
                    client.Write(at + (_writes % 16 * block.Length), block);
                    client.Flush();
                    long took = Stopwatch.GetTimestamp() - begun;
                    Interlocked.Exchange(ref _longestTicks, Math.Max(_longestTicks, took));
                    Interlocked.Increment(ref _writes);
                }
            }
            catch (Exception failed) when (failed is IOException or InvalidDataException)
            {
                _failed = failed;
            }
        }
    }
}
