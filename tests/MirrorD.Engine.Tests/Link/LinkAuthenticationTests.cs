using System.Net;
using MirrorD.Engine.Link;
using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Link;

/// <summary>
/// What ends a connection while another thread works at a step of its handshake waits for that step, and uses nothing
/// afterwards.
/// </summary>
public sealed class LinkAuthenticationTests
{
    private const long SecondNs = 1_000_000_000;
    private const long TimeLimitNs = 3 * SecondNs;

    private static readonly byte[] s_secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private static readonly TcpEndpoint s_endpoint = new(IPAddress.Parse("10.0.0.1"), 7780);

    private readonly SimulatedWorld _world = new(1);
    private readonly SimulatedLoop _loop;
    private readonly IListener _listener;

    public LinkAuthenticationTests()
    {
        _world.AddAddress("host", IPAddress.Parse("10.0.0.1"));
        _loop = _world.CreateLoop("host");
        _listener = _loop.Listen(s_endpoint);
    }

    public static TheoryData<bool, int, string> Moments()
    {
        var moments = new TheoryData<bool, int, string>();
        foreach (bool isConnector in (bool[])[true, false])
        {
            foreach (int step in (int[])[1, 2])
            {
                foreach (string end in (string[])["cancel", "timeout", "close by the peer", "cancel, then timeout"])
                {
                    moments.Add(isConnector, step, end);
                }
            }
        }

        return moments;
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public void An_end_in_the_middle_of_a_step_waits_for_that_step_and_the_next_connection_works(
        bool isConnector, int step, string end)
    {
        (Side connector, Side listener) = Connect((side, one) => side == isConnector && one.Steps == step);
        (Side side, Side other) = isConnector ? (connector, listener) : (listener, connector);
        Until("the step is under way", () => side.Handshake.IsUnderWay && side.Handshake.Steps == step);
        string[] causes = end switch
        {
            "timeout" => ["no authentication within the time limit"],
            "close by the peer" => ["closed by the other side", "failed with errno"],
            _ => ["given up"],
        };
        if (end.StartsWith("cancel", StringComparison.Ordinal))
        {
            side.Authentication.Cancel("given up");
            side.Authentication.Cancel("given up again");
        }
        else if (end == "close by the peer")
        {
            other.Authentication.Cancel("gone");
        }

        _world.RunUntil(() => false, end.EndsWith("timeout", StringComparison.Ordinal) ? TimeLimitNs + SecondNs : SecondNs);
        Assert.Equal(0, side.Ends);
        Assert.False(side.Handshake.IsDisposed);
        Assert.Equal(end != "close by the peer", side.Handshake.IsGivenUp);
        Assert.Equal(1, other.Ends);

        side.Handshake.EndStep();
        Until("the end is told", () => side.Ends > 0);
        Assert.Null(side.Link);
        Assert.Contains(causes, cause => side.Problem.Contains(cause, StringComparison.Ordinal));
        RequireGivenBack(side);
        _world.RunUntil(() => false, 2 * TimeLimitNs);
        Assert.Equal((1, 1), (side.Ends, other.Ends));
        RequireThatTheNextOneWorks();
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    public void A_step_that_takes_long_ends_well_within_the_time_limit(bool isConnector, int step)
    {
        (Side connector, Side listener) = Connect((side, one) => side == isConnector && one.Steps == step);
        Side side = isConnector ? connector : listener;
        Until("the step is under way", () => side.Handshake.IsUnderWay);
        _world.RunUntil(() => false, TimeLimitNs - (SecondNs / 2));
        side.Handshake.EndStep();
        RequireLinked(connector, listener);
    }

    [Fact]
    public void A_cancel_between_the_end_of_a_step_and_its_telling_counts()
    {
        (Side connector, Side listener) = Connect((side, one) => side && one.Steps == 2);
        Until("the step is under way", () => connector.Handshake is { IsUnderWay: true, Steps: 2 });
        connector.Handshake.EndStep();
        connector.Authentication.Cancel("given up");
        Until("both ends are told", () => connector.Ends > 0 && listener.Ends > 0);
        Assert.Equal("given up", connector.Problem);
        RequireGivenBack(connector);
        RequireGivenBack(listener);
        RequireThatTheNextOneWorks();
    }

    private void RequireThatTheNextOneWorks()
    {
        (Side connector, Side listener) = Connect((_, _) => false);
        RequireLinked(connector, listener);
    }

    private void RequireLinked(Side connector, Side listener)
    {
        Until("both have ended", () => connector.Ends > 0 && listener.Ends > 0);
        Assert.Equal(("", ""), (connector.Problem, listener.Problem));
        Assert.True(connector.Link is not null && listener.Link is not null);
        Assert.Equal(connector.Link.Keys.ConnectorProof, listener.Link.Keys.ConnectorProof);
        foreach (Side side in (Side[])[connector, listener])
        {
            Assert.Throws<ObjectDisposedException>(() => side.Handshake.Received.Span.Length);
            side.Link!.Stream.Close();
            side.Link.Stream.Dispose();
        }
    }

    private static void RequireGivenBack(Side side)
    {
        Assert.True(side.Handshake.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => side.Handshake.Received.Span.Length);
    }

    private (Side Connector, Side Listener) Connect(Func<bool, SteppedHandshake, bool> holds)
    {
        Side? connector = null;
        Side? listener = null;
        _loop.Accept(_listener, new IoOperation(done => listener = new Side(_loop, done.Connection!, false, holds)));
        _loop.Connect(
            s_endpoint, SecondNs,
            new IoOperation(done => connector = new Side(_loop, done.Connection!, true, holds)));
        Until("a connection", () => connector is not null && listener is not null);
        return (connector!, listener!);
    }

    private void Until(string what, Func<bool> condition) =>
        Assert.True(_world.RunUntil(condition, 10 * SecondNs), $"waited in vain for {what}");

    /// <summary>One end of a connection that is being authenticated.</summary>
    private sealed class Side
    {
        private readonly SteppedSecurity _security;

        public Side(IIoLoop loop, IConnection connection, bool isConnector, Func<bool, SteppedHandshake, bool> holds)
        {
            _security = new SteppedSecurity(loop, s_secret) { Holds = one => holds(isConnector, one) };
            byte[] challenge = new byte[PeerHello.ChallengeBytes];
            challenge[0] = (byte)(isConnector ? 1 : 2);
            var hello = new PeerHello(new NodeId(new Guid(challenge[0], 0, 0, new byte[8])), challenge, "r", Encrypts: false);
            Authentication = new LinkAuthentication(loop, connection, isConnector, hello, _security, TimeLimitNs, Ended);
        }

        public LinkAuthentication Authentication { get; }

        public SteppedHandshake Handshake => _security.Begun[0];

        public int Ends { get; private set; }

        public AuthenticatedLink? Link { get; private set; }

        public string Problem { get; private set; } = "";

        private void Ended(LinkAuthentication authentication, AuthenticatedLink? link, string problem)
        {
            Ends++;
            (Link, Problem) = (link, problem);
        }
    }
}
