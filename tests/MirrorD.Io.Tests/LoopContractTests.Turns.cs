namespace MirrorD.Io.Tests;

public abstract partial class LoopContractTests
{
    [Fact]
    public void A_timer_fires_once_and_not_before_its_deadline()
    {
        long deadlineNs = Loop.NowNs + 20_000_000;
        long firedNs = 0;
        Probe timer = NewProbe(_ => firedNs = Loop.NowNs);
        Loop.StartTimer(deadlineNs, timer.Operation);
        RunUntilDone(timer);
        Assert.Equal(0, timer.Result);
        Assert.True(firedNs >= deadlineNs, $"fired {deadlineNs - firedNs} ns early");
    }

    [Fact]
    public void Timers_fire_in_the_order_of_their_deadlines()
    {
        List<int> fired = [];
        long nowNs = Loop.NowNs;
        int[] delaysMs = [30, 5, 20, 0, 10];
        Probe[] timers = [.. delaysMs.Select(delayMs => NewProbe(_ => fired.Add(delayMs)))];
        for (int i = 0; i < timers.Length; i++)
        {
            Loop.StartTimer(nowNs + delaysMs[i] * 1_000_000L, timers[i].Operation);
        }

        RunUntilDone(timers);
        Assert.Equal([0, 5, 10, 20, 30], fired);
    }

    [Fact]
    public void A_cancelled_timer_completes_once_as_cancelled_in_a_later_turn()
    {
        Probe timer = NewProbe();
        Loop.StartTimer(Loop.NowNs + 3_600_000_000_000, timer.Operation);
        Loop.CancelTimer(timer.Operation);
        Loop.CancelTimer(timer.Operation);
        Assert.Equal(0, timer.Completions);
        RunUntilDone(timer);
        Assert.Equal(-Errno.ECANCELED, timer.Result);

        Loop.CancelTimer(timer.Operation);
        Do(operation => Loop.StartTimer(Loop.NowNs + 5_000_000, operation));
        Assert.Equal(1, timer.Completions);
    }

    [Fact]
    public void A_cancelled_timer_can_be_started_again()
    {
        Probe timer = NewProbe();
        Loop.StartTimer(Loop.NowNs + 3_600_000_000_000, timer.Operation);
        Loop.CancelTimer(timer.Operation);
        RunUntilDone(timer);
        Loop.StartTimer(Loop.NowNs + 1_000_000, timer.Operation);
        RunUntil(() => timer.Completions == 2, "the second firing");
        Assert.Equal(0, timer.Result);
    }

    [Fact]
    public void Posted_actions_run_in_order_inside_Run()
    {
        List<int> ran = [];
        for (int i = 0; i < 100; i++)
        {
            int number = i;
            Loop.Post(() =>
            {
                ran.Add(number);
                StopWhenDone();
            });
        }

        Assert.Empty(ran);
        RunUntil(() => ran.Count == 100, "100 posted actions");
        Assert.Equal(Enumerable.Range(0, 100), ran);
    }

    [Fact]
    public void Other_threads_may_post_while_the_loop_waits()
    {
        IIoLoop loop = Loop; // Made before other threads use it.
        int here = Environment.CurrentManagedThreadId;
        List<int> threads = [];
        List<int>[] numbers = [[], []];
        Thread[] posters = [.. numbers.Select(list => new Thread(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                int number = i;
                loop.Post(() =>
                {
                    threads.Add(Environment.CurrentManagedThreadId);
                    list.Add(number);
                    StopWhenDone();
                });
            }
        }))];
        Array.ForEach(posters, poster => poster.Start());
        RunUntil(() => threads.Count == 2000, "2000 actions posted by two threads");
        Array.ForEach(posters, poster => poster.Join());

        Assert.All(threads, thread => Assert.Equal(here, thread));
        Assert.All(numbers, list => Assert.Equal(Enumerable.Range(0, 1000), list));
    }

    [Fact]
    public void Stop_from_another_thread_ends_Run_and_leaves_operations_pending()
    {
        IListener listener = Loop.Listen(CreateEndpoint(false));
        Probe accept = NewProbe();
        Loop.Accept(listener, accept.Operation);
        using var patience = new Timer(
            _ => Environment.FailFast("Run did not end 20 s after Stop"),
            null, Patience, Timeout.InfiniteTimeSpan);
        var stopper = new Thread(Loop.Stop);
        stopper.Start();
        Loop.Run();
        stopper.Join();
        Assert.True(accept.Operation.IsPending);
        listener.Close();
        RunUntilDone(accept);
    }

    [Fact]
    public void Time_never_goes_back()
    {
        long beforeNs = Loop.NowNs;
        for (int i = 0; i < 100; i++)
        {
            Do(operation => Loop.StartTimer(0, operation));
            long nowNs = Loop.NowNs;
            Assert.True(nowNs >= beforeNs);
            beforeNs = nowNs;
        }
    }
}
