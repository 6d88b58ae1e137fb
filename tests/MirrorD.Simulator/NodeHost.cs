using System.Globalization;
using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Devices;

namespace MirrorD.Simulator;

/// <summary>What the daemon is to a resource, for one process of a simulated node.</summary>
public sealed class NodeHost(SimulatedNodeState node, SimulatedLoop loop, PairSimulation simulation)
    : IResourceHost
{
    private const long Millisecond = 1_000_000;
    private static readonly long[] s_announcementsMs = [0, 200, 1300, 2500, 5000, 10_000];

    private readonly ServedDevices? _devices =
        simulation.Scenario.HasDevices ? new ServedDevices(node, loop, simulation) : null;

    private Action<string?>? _hooksEnded;
    private int _hookRun;
    private int _addressChange;

    /// <inheritdoc/>
    public bool HasArbiter => simulation.Scenario.HasArbiter;

    /// <inheritdoc/>
    public void ClaimSession(string resource, SessionId session, NodeId by, Action<ArbiterAnswer> answered) =>
        simulation.Arbiter.Claim(
            node.Name, resource, session, by, answer => loop.Post(() => answered(answer)));

    /// <inheritdoc/>
    public ulong NewIdentifier() => simulation.World.Random.NextBits() | 1;

    /// <inheritdoc/>
    public void FillRandom(Span<byte> bytes) => simulation.World.Random.Fill(bytes);

    /// <inheritdoc/>
    public void DoElsewhere(Action work, Action done)
    {
        work();
        After(simulation.World.Random.Below(3), done);
    }

    /// <inheritdoc/>
    public void RunHooks(HookStep step, Role role, Action<string?> ended)
    {
        string? failure = simulation.World.Random.Percent(simulation.Scenario.HookFailurePercent)
            ? $"the {step.NameOf()} hook failed" : null;
        int run = ++_hookRun;
        _hooksEnded = ended;
        After(50, () => EndHooks(run, failure));
    }

    /// <inheritdoc/>
    public void CancelHooks()
    {
        int run = _hookRun;
        loop.Post(() => EndHooks(run, "the hook was ended, as it is no longer wanted"));
    }

    /// <inheritdoc/>
    public void OpenExports(Action<IReadOnlyList<string>> done)
    {
        _devices?.Open();
        After(5, () => done([]));
    }

    /// <summary>The daemon restarts: answers what it has, and takes nothing more.</summary>
    public void FinishExports(Action finished)
    {
        if (_devices is null)
        {
            finished();
        }
        else
        {
            _devices.Finish(finished);
        }
    }

    /// <inheritdoc/>
    public void FindDeviceUsers(Action<IReadOnlyList<string>> answered) => After(1, () => answered([]));

    /// <inheritdoc/>
    public void CloseExports(Action done)
    {
        if (_devices is null)
        {
            After(20, done);
        }
        else
        {
            _devices.Close(done);
        }
    }

    /// <inheritdoc/>
    public void AddAddresses(Action<IReadOnlyList<string>> done)
    {
        int change = ++_addressChange;
        After(20, () =>
        {
            if (change == _addressChange)
            {
                simulation.Addresses.Add(node.Name);
                Array.ForEach(s_announcementsMs, delayMs => simulation.World.Schedule(
                    delayMs * Millisecond, () => Announce(change)));
            }

            done([]);
        });
    }

    /// <inheritdoc/>
    public void RemoveAddresses(Action done)
    {
        _addressChange++;
        After(20, () =>
        {
            simulation.Addresses.Remove(node.Name);
            done();
        });
    }

    /// <inheritdoc/>
    public void ProbeAddresses(Action<string?> answered) => simulation.Addresses.Probe(
        node.Name, holder => loop.Post(() => answered(holder is null ? null : $"192.0.2.7 by {holder}")));

    /// <inheritdoc/>
    public void ProbeGateway(Action<GatewayEvidence> answered) => simulation.World.Schedule(
        simulation.World.Random.Between(1, 150) * Millisecond, () =>
        {
            GatewayEvidence evidence = !simulation.Networks.HasCarrier(node.Name) ? GatewayEvidence.NoCarrier
                : !simulation.Scenario.HasGateway ? GatewayEvidence.NotConfigured
                : simulation.Networks.GatewayAnswers(node.Name) ? GatewayEvidence.Answers
                : GatewayEvidence.Silent;
            loop.Post(() => answered(evidence));
        });

    /// <inheritdoc/>
    public void StuckChanged(bool isStuck)
    {
        simulation.Note($"{node.Name}: stuck: {isStuck}");
        if (isStuck)
        {
            _addressChange++;
            simulation.Addresses.Remove(node.Name);
        }
    }

    /// <summary>The carrier is back: those who may have missed an announcement get it again.</summary>
    public void CarrierIsBack() => Announce(_addressChange);

    /// <inheritdoc/>
    public void RoleRecorded(RoleRecord record) => simulation.Note(
        $"{node.Name}: {record.Kind} {(record.Succeeded ? "succeeded" : "failed")}: {record.Reason}");

    /// <inheritdoc/>
    public void Publish(ResourceStatus status) => simulation.StatusPublished(node, status);

    /// <inheritdoc/>
    public void Raise(ResourceEvent happened)
    {
        simulation.Note($"{node.Name}: [{happened.Kind}] {happened.Message}");
        if (happened.Kind == "handshake")
        {
            // "resource: Case, Action, this node is Part"
            string met = happened.Message.Split(": ")[1].Split(',')[0];
            simulation.Tally.Cases.Add(Enum.Parse<HandshakeCase>(met).ToString());
        }
        else if (happened.Kind == "resync-done")
        {
            // "resource: 4096 bytes sent, 8192 were equal"
            string[] words = happened.Message.Split(' ');
            simulation.Tally.SentBlocks += long.Parse(words[1], CultureInfo.InvariantCulture) / Core.Limits.BlockBytes;
            simulation.Tally.EqualBlocks += words.Length < 5 ? 0
                : long.Parse(words[4], CultureInfo.InvariantCulture) / Core.Limits.BlockBytes;
        }
    }

    private void Announce(int change)
    {
        if (!loop.IsDead && !node.IsPaused && change == _addressChange)
        {
            simulation.Addresses.Announce(node.Name);
        }
    }

    private void EndHooks(int run, string? failure)
    {
        if (run == _hookRun && _hooksEnded is { } ended)
        {
            _hooksEnded = null;
            ended(failure);
        }
    }

    /// <summary>What the daemon does takes a while, and ends with its process.</summary>
    private void After(long atMostMs, Action action) => simulation.World.Schedule(
        simulation.World.Random.Between(0, atMostMs * Millisecond), () =>
        {
            if (!loop.IsDead)
            {
                loop.Post(action);
            }
        });
}
