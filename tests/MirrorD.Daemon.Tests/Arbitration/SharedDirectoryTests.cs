using MirrorD.Daemon.Arbitration;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Tests.Arbitration;

public sealed class SharedDirectoryTests : IDisposable
{
    private static readonly NodeId s_a = new(Guid.Parse("aaaaaaaa-0000-0000-0000-000000000001"));
    private static readonly NodeId s_b = new(Guid.Parse("bbbbbbbb-0000-0000-0000-000000000002"));
    private static readonly SessionId s_session = new(0x1234);

    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public void The_first_claim_wins_and_stays_won()
    {
        Assert.Equal(ArbiterAnswer.Granted, Claim(s_a));
        Assert.Equal(ArbiterAnswer.Refused, Claim(s_b));
        Assert.Equal(ArbiterAnswer.Granted, Claim(s_a));
        Assert.Equal(
            ArbiterAnswer.Granted,
            new SharedDirectory(_directory.Root).Claim("mail", new SessionId(0x1235), s_b));
        Assert.Equal(
            ArbiterAnswer.Granted, new SharedDirectory(_directory.Root).Claim("web", s_session, s_b));
    }

    [Fact]
    public void Of_two_nodes_that_race_exactly_one_wins_each_session()
    {
        const int Rounds = 100;
        var answers = new ArbiterAnswer[2, Rounds];
        using var together = new Barrier(2);
        Thread[] claimers = [.. new[] { s_a, s_b }.Select((node, who) => new Thread(() =>
        {
            var arbiter = new SharedDirectory(_directory.Root);
            for (int round = 0; round < Rounds; round++)
            {
                together.SignalAndWait();
                answers[who, round] = arbiter.Claim("mail", new SessionId((ulong)round + 1), node);
            }
        }))];
        foreach (Thread claimer in claimers)
        {
            claimer.Start();
        }

        foreach (Thread claimer in claimers)
        {
            Assert.True(claimer.Join(TimeSpan.FromSeconds(60)), "waited for a claimer to end");
        }

        for (int round = 0; round < Rounds; round++)
        {
            Assert.Equal(
                [ArbiterAnswer.Granted, ArbiterAnswer.Refused],
                new[] { answers[0, round], answers[1, round] }.Order());
        }

        Assert.Empty(Directory.GetFiles(_directory.At("mail"), ".*"));
    }

    [Fact]
    public void A_torn_temporary_file_of_a_crashed_claimer_does_not_matter()
    {
        Directory.CreateDirectory(_directory.At("mail"));
        File.WriteAllText(_directory.At($"mail/.{s_b}.x.tmp"), "mirrord-cl");

        Assert.Equal(ArbiterAnswer.Granted, Claim(s_a));
    }

    [Theory]
    [InlineData("")]
    [InlineData("mirrord-claim 1\naaaaaaaa-0000-0000-0000-000000000001")]
    [InlineData("mirrord-claim 1\naaaaaaaa-0000-0000-0000-000000000001\nen")]
    [InlineData("mirrord-claim 2\naaaaaaaa-0000-0000-0000-000000000001\nend\n")]
    public void A_key_that_names_nobody_for_sure_grants_nothing(string contents)
    {
        Directory.CreateDirectory(_directory.At("mail"));
        File.WriteAllText(_directory.At($"mail/{s_session}"), contents);

        Assert.Equal(ArbiterAnswer.Unreachable, Claim(s_a));
    }

    [Fact]
    public void A_directory_that_is_not_there_is_not_made()
    {
        // An unmounted file system would otherwise give each node an arbiter of its own.
        var arbiter = new SharedDirectory(_directory.At("not-mounted"));

        Assert.Equal(ArbiterAnswer.Unreachable, arbiter.Claim("mail", s_session, s_a));
        Assert.False(Directory.Exists(_directory.At("not-mounted")));
    }

    [Fact]
    public async Task A_claim_that_hangs_is_answered_at_its_deadline_and_holds_up_only_its_resource()
    {
        using var hang = new ManualResetEventSlim();
        var claims = new ArbiterClaims(
            (resource, _, _) =>
            {
                if (resource == "mail")
                {
                    hang.Wait();
                }

                return ArbiterAnswer.Granted;
            },
            TimeSpan.FromMilliseconds(50));

        Assert.Equal(ArbiterAnswer.Unreachable, await Answer(claims, "mail"));
        Assert.Equal(ArbiterAnswer.Unreachable, await Answer(claims, "mail"));
        // A slow machine may take longer than the deadline to start a thread.
        await Within.Until(
            async () => await Answer(claims, "web") == ArbiterAnswer.Granted, "a claim beside the one that hangs");
        hang.Set();
        await Within.Until(
            async () => await Answer(claims, "mail") == ArbiterAnswer.Granted, "the claim that hung to end");
    }

    public void Dispose() => _directory.Dispose();

    private static Task<ArbiterAnswer> Answer(ArbiterClaims claims, string resource)
    {
        var answered = new TaskCompletionSource<ArbiterAnswer>();
        claims.Claim(resource, s_session, s_a, answered.SetResult);
        return Within.Deadline(answered.Task, $"the answer to a claim of {resource}");
    }

    private ArbiterAnswer Claim(NodeId node) =>
        new SharedDirectory(_directory.Root).Claim("mail", s_session, node);
}
