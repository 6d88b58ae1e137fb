using MirrorD.Formats.Nbd;
using MirrorD.Io;
using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator.Devices;

/// <summary>
/// The block device of a volume in the kernel of one node: it outlives the daemon, not the host. Requests
/// that were sent over a connection that died are kept; each is sent again, with a new cookie, some time
/// after there is another one.
/// </summary>
public sealed class KernelDevice(PairSimulation simulation, SimulatedNodeState node, int volume)
{
    private const long Millisecond = 1_000_000;
    private const int Tags = 6;

    private readonly List<KernelRequest> _requests = [];

    // Failed for their users; the process still has them.
    private readonly List<Mutation> _abandoned = [];

    private KernelLink? _link;
    private Action? _whenBusy;
    private ulong _cookies;
    private long _linkedAtStep;

    /// <summary>It can be opened.</summary>
    public bool IsPresent { get; private set; }

    /// <summary>It has a connection that the kernel takes for a living one.</summary>
    public bool IsLinked => _link is not null;

    /// <summary>It takes another request.</summary>
    public bool HasRoom => IsPresent && _requests.Count < Tags;

    /// <summary>Requests that are not answered.</summary>
    public int Waiting => _requests.Count;

    private string Name => $"{node.Name}: device of volume {volume}";

    /// <summary>A user asks for something; there is room.</summary>
    public void Submit(KernelRequest request)
    {
        simulation.Tally.DeviceRequests++;
        _requests.Add(request);
        if (_link is not null)
        {
            Send(request);
            Action? strike = _whenBusy;
            _whenBusy = null;
            if (strike is not null)
            {
                // Within the time that the request takes, or shortly after.
                simulation.World.Schedule(
                    simulation.World.Random.Between(0, 4 * simulation.Scenario.DiskNs), strike);
            }
        }
    }

    /// <summary>Runs the action while the next request, or its answer, is on its way.</summary>
    public void WhenBusy(Action strike) => _whenBusy = strike;

    /// <summary>
    /// A process serves it: it is made, or goes on. New requests leave at once, those that were sent before
    /// each when its timer has run out.
    /// </summary>
    /// <param name="link">The connection.</param>
    /// <param name="begins">The process has begun to serve, and does not just replace a connection.</param>
    /// <param name="connections">How many connections of this device the process has not done with.</param>
    public void Attach(KernelLink link, bool begins, Func<int> connections)
    {
        simulation.Note(IsPresent ? $"{Name} goes on with {_requests.Count} requests" : $"{Name} is made");
        if (IsPresent && begins)
        {
            RequireFresh();
        }

        IsPresent = true;
        _link = link;
        _linkedAtStep = simulation.World.Steps;
        foreach (KernelRequest request in _requests.ToArray())
        {
            long delayNs = request.Sendings == 0
                ? 0 : simulation.World.Random.Between(200, 3000) * Millisecond;
            simulation.World.Schedule(delayNs, () =>
            {
                if (_link == link && _requests.Contains(request))
                {
                    if (request.Sendings > 0)
                    {
                        simulation.Tally.Replays++;
                        RequireOnlyOne(connections());
                    }

                    request.Tracked.SendAnew();
                    Send(request);
                }
            });
        }
    }

    /// <summary>The connection of a device that is wanted dies.</summary>
    public void CutLink()
    {
        if (_link is { } link)
        {
            simulation.Note($"{Name} loses its connection");
            _link = null;
            link.Close();
        }
    }

    /// <summary>The other end has closed.</summary>
    internal void LinkEnded(KernelLink link)
    {
        if (_link == link)
        {
            _link = null;
        }
    }

    /// <summary>Data that follows this reply.</summary>
    internal int AnswerBytes(NbdSimpleReplyHeader reply) =>
        reply.Error == NbdError.None ? Find(reply.Cookie).AnswerBytes : 0;

    /// <summary>A reply to a latest sending.</summary>
    internal void Answered(NbdSimpleReplyHeader reply, ReadOnlySpan<byte> data)
    {
        KernelRequest request = Find(reply.Cookie);
        _requests.Remove(request);
        bool succeeded = reply.Error == NbdError.None;
        simulation.Tally.Count(request.Operation, succeeded);
        if (succeeded)
        {
            request.Tracked.Succeed(node, data);
        }
        else
        {
            simulation.Tally.DeviceErrors++;
            request.Tracked.Fail();
        }

        request.Ended(succeeded ? 0 : Errno.EIO);
    }

    /// <summary>
    /// The daemon takes it away: what waits fails for its users, and may be done all the same.
    /// </summary>
    /// <param name="isServed">The process still has requests of it.</param>
    public void Remove(bool isServed)
    {
        if (!IsPresent)
        {
            return;
        }

        simulation.Note($"{Name} is taken away with {_requests.Count} requests");
        CutLink();
        Fail();
        if (!isServed)
        {
            SessionsEnded();
        }
    }

    /// <summary>The process has no request of it any more.</summary>
    public void SessionsEnded()
    {
        _abandoned.ForEach(simulation.Oracle.Fail);
        _abandoned.ForEach(mutation => simulation.Ahead.NoteAbandoned(mutation, node));
        _abandoned.Clear();
    }

    /// <summary>The process died, and maybe the host with it.</summary>
    public void ServerDied(bool cutsPower)
    {
        _link = null;
        if (cutsPower)
        {
            Fail();
        }

        simulation.Oracle.ServerDied(_abandoned);
        _abandoned.Clear();
        simulation.Oracle.ServerDiedUnder(
            _requests.Select(request => request.Tracked.Mutation).OfType<Mutation>());
    }

    private void Fail()
    {
        KernelRequest[] failed = [.. _requests];
        _requests.Clear();
        IsPresent = false;
        foreach (KernelRequest request in failed)
        {
            simulation.Tally.DeviceErrors++;
            request.Tracked.Drop();
            if (request.Tracked.Mutation is { } mutation)
            {
                _abandoned.Add(mutation);
            }

            request.Ended(Errno.EIO);
        }
    }

    private void Send(KernelRequest request) => _link!.Send(request.Send(++_cookies));

    private KernelRequest Find(ulong cookie) => _requests.Find(request => request.Cookie == cookie)
        ?? throw new RuleBroken("contract", $"{Name} was sent a reply that it does not wait for");

    /// <summary>
    /// What the earlier connection has not yet taken up could come down over what is acknowledged after the
    /// replay. (The order of what the volume has is kept, so that contents tell only seldom.)
    /// </summary>
    private void RequireOnlyOne(int connections)
    {
        if (connections > 1)
        {
            throw new RuleBroken("contract",
                $"{Name} sends a request again while {connections - 1} earlier connections are served");
        }
    }

    /// <summary>
    /// Who has a file system on it trusts what it read before, and what waits here may be older than what
    /// the peer has acknowledged since.
    /// </summary>
    private void RequireFresh()
    {
        SimulatedNodeState peer = simulation.PeerOf(node);
        bool mayLose = simulation.Oracle.AcceptsLoss || simulation.Rights.IsSplit;
        if (peer.PromotedAtStep > _linkedAtStep && !mayLose)
        {
            throw new RuleBroken("contract", $"{Name} goes on with {_requests.Count} requests, though "
                + $"{peer.Name} was Primary since it was served");
        }
    }
}
