using System.Net;
using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Engine.Takeover;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Takeover;

/// <summary>
/// Everything around a role sequence; notes each step in the order in which it happens. An answer of the host takes
/// no time unless it is held back.
/// </summary>
internal sealed class FakeResource : IResourceHost, IRoleEngine
{
    public const long SecondNs = 1_000_000_000;
    private readonly SimulatedLoop _loop;
    private readonly List<string> _steps = [];
    private Action<string?>? _hangingHook;

    public FakeResource()
    {
        _loop = World.CreateLoop("a");
        var endpoint = new TcpEndpoint(IPAddress.Loopback, 7780);
        var options = new ResourceOptions
        {
            Name = "mail",
            NodeName = "a",
            Node = new NodeId(Guid.NewGuid()),
            Boot = new BootId(Guid.NewGuid()),
            PeerName = "b",
            Volumes = [],
            Listen = endpoint,
            Connect = endpoint,
            Security = new Testing.SharedSecret(new byte[32]),
            ReleaseTimeoutMs = 3000,
        };
        Sequence = new RoleSequence(_loop, options, this, this, () => { });
    }

    public SimulatedWorld World { get; } = new(1);

    public RoleSequence Sequence { get; }

    public Role Role { get; set; } = Role.Standby;

    public bool HasArbiter { get; set; }

    /// <summary>Answers a command instead of success.</summary>
    public Func<ResourceCommand, CommandOutcome?> Refuse { get; set; } = _ => null;

    /// <summary>What the engine says before anything is done around a command.</summary>
    public Func<ResourceCommand, CommandOutcome?> RefuseBefore { get; set; } = _ => null;

    /// <summary>The engine answers nothing until <see cref="AnswerEngine"/>.</summary>
    public bool EngineWaits { get; set; }

    public Action? AnswerEngine { get; private set; }

    public HashSet<HookStep> FailingHooks { get; } = [];

    /// <summary>A step whose hook hangs until it is cancelled.</summary>
    public HookStep? HangingHook { get; set; }

    public bool HookHangs => _hangingHook is not null;

    /// <summary>Who answers for the addresses.</summary>
    public Func<string?> Holder { get; set; } = () => null;

    public int Probes { get; private set; }

    /// <summary>Addresses that can't be added, as told by the host.</summary>
    public IReadOnlyList<string> AddressFailures { get; set; } = [];

    public IReadOnlyList<string> DeviceFailures { get; set; } = [];

    /// <summary>Who uses the block devices.</summary>
    public IReadOnlyList<string> DeviceUsers { get; set; } = [];

    /// <summary>Who uses what was left, or taken away.</summary>
    public IReadOnlyList<string> UsersOfClosed { get; set; } = [];

    /// <summary>Answers about users do not come until this is called.</summary>
    public List<Action>? StuckLooks { get; set; }

    /// <summary>Removals of addresses do not end until this is called.</summary>
    public List<Action>? StuckRemovals { get; set; }

    public bool HoldsAddresses { get; private set; }

    public bool IsOpen { get; private set; }

    public List<RoleRecord> Records { get; } = [];

    public List<string> Messages { get; } = [];

    public IReadOnlyList<string> Steps => _steps;

    public void Forget() => _steps.Clear();

    public void Until(string what, Func<bool> condition, long seconds = 20) => Assert.True(
        World.RunUntil(condition, seconds * SecondNs),
        $"waited {seconds} s for: {what}\nstep {Sequence.Step}\n{string.Join('\n', _steps)}");

    /// <summary>Runs whatever is due now and in the next moments.</summary>
    public void Settle() => Pass(SecondNs / 10);

    /// <summary>Lets time pass.</summary>
    public void Pass(long timeNs)
    {
        bool hasPassed = false;
        World.Schedule(timeNs, () => hasPassed = true);
        World.RunUntil(() => hasPassed, timeNs);
    }

    public Task<CommandOutcome> Begin(ResourceCommand command)
    {
        var ended = new TaskCompletionSource<CommandOutcome>();
        _loop.Post(() => Sequence.Command(command, ended.SetResult));
        return ended.Task;
    }

    public CommandOutcome Do(ResourceCommand command) => End(Begin(command));

    public CommandOutcome End(Task<CommandOutcome> command)
    {
        Until("the command to end", () => command.IsCompleted, 300);
        Settle();
        return command.Result;
    }

    public Task<CommandOutcome> BeginTakeover(
        Func<string?>? veto = null, RoleRecordKind kind = RoleRecordKind.Takeover)
    {
        var ended = new TaskCompletionSource<CommandOutcome>();
        long lostAtNs = _loop.NowNs;
        _loop.Post(() => Sequence.TakeOver(
            kind, "b is lost", lostAtNs, veto ?? (() => null), ended.SetResult));
        return ended.Task;
    }

    public CommandOutcome TakeOver(Func<string?>? veto = null) => End(BeginTakeover(veto));

    /// <summary>The engine tells a change of role that nobody commanded.</summary>
    public void Tell(Role role, string reason) => _loop.Post(() =>
    {
        Role = role;
        Sequence.RoleChanged(role, reason);
    });

    public void PeerAsks() => _loop.Post(Sequence.PeerRequestsRole);

    public void OnLoop(Action action)
    {
        _loop.Post(action);
        Settle();
    }

    CommandOutcome? IRoleEngine.RefusalOf(ResourceCommand command) => RefuseBefore(command);

    void IRoleEngine.RefuseRole(string reason) => Note($"refused: {reason}");

    void IRoleEngine.Run(ResourceCommand command, Action<CommandOutcome> answered)
    {
        Note(command is ResourceCommand.Promote { Automatic: true } ? "Promote automatically" : command.GetType().Name);
        if (EngineWaits)
        {
            AnswerEngine = () => _loop.Post(() => Carry(command, answered));
            return;
        }

        Carry(command, answered);
    }

    private void Carry(ResourceCommand command, Action<CommandOutcome> answered)
    {
        if (Refuse(command) is { } refusal)
        {
            answered(refusal);
            return;
        }

        // As the engine does: a loss is told before its outcome, a gain behind it.
        Role before = Role;
        bool gains = command is ResourceCommand.Promote or ResourceCommand.RequestRole;
        Assert.True(gains || !HoldsAddresses, "invariant 17: the addresses go before the role does");
        Role = gains ? Role.Primary : Role.Standby;
        if (!gains && before == Role.Primary)
        {
            Sequence.RoleChanged(Role.Standby, "by command");
        }

        answered(new CommandOutcome(true, "done"));
        if (gains && before == Role.Standby)
        {
            Sequence.RoleChanged(Role.Primary, "by command");
        }
    }

    void IResourceHost.RunHooks(HookStep step, Role role, Action<string?> ended)
    {
        Assert.False(HookHangs, "one step at a time");
        Note($"{step.NameOf()} as {role}");
        if (step == HangingHook)
        {
            _hangingHook = ended;
            return;
        }

        string? failure = FailingHooks.Contains(step) ? $"the {step.NameOf()} hook 'x' failed with exit code 1" : null;
        _loop.Post(() => ended(failure));
    }

    void IResourceHost.CancelHooks()
    {
        if (_hangingHook is { } hanging)
        {
            _hangingHook = null;
            HangingHook = null;
            Note("hook killed");
            _loop.Post(() => hanging("the hook was ended"));
        }
    }

    void IResourceHost.OpenExports(Action<IReadOnlyList<string>> done)
    {
        Note("exports open");
        IsOpen = true;
        _loop.Post(() => done(DeviceFailures));
    }

    void IResourceHost.FindDeviceUsers(Action<IReadOnlyList<string>> answered)
    {
        bool isOpen = IsOpen;
        void Answer() => _loop.Post(() => answered(isOpen ? DeviceUsers : UsersOfClosed));
        if (StuckLooks is { } stuck)
        {
            stuck.Add(Answer);
        }
        else
        {
            Answer();
        }
    }

    void IResourceHost.CloseExports(Action done)
    {
        Note("exports closed");
        IsOpen = false;
        _loop.Post(done);
    }

    void IResourceHost.AddAddresses(Action<IReadOnlyList<string>> done)
    {
        Assert.Equal(Role.Primary, Role);
        Note("addresses added");
        HoldsAddresses = true;
        _loop.Post(() => done(AddressFailures));
    }

    void IResourceHost.RemoveAddresses(Action done)
    {
        void Gone()
        {
            Note("addresses removed");
            HoldsAddresses = false;
            _loop.Post(done);
        }

        if (StuckRemovals is { } stuck)
        {
            stuck.Add(Gone);
        }
        else
        {
            Gone();
        }
    }

    void IResourceHost.ProbeAddresses(Action<string?> answered)
    {
        Probes++;
        string? holder = Holder();
        World.Schedule(SecondNs / 5, () => _loop.Post(() => answered(holder)));
    }

    void IResourceHost.ProbeGateway(Action<GatewayEvidence> answered) =>
        _loop.Post(() => answered(GatewayEvidence.Answers));

    void IResourceHost.StuckChanged(bool isStuck)
    {
    }

    void IResourceHost.RoleRecorded(RoleRecord record) => Records.Add(record);

    void IResourceHost.Raise(ResourceEvent happened)
    {
        Note($"event {happened.Kind}");
        Messages.Add(happened.Message);
    }

    void IResourceHost.Publish(ResourceStatus status)
    {
    }

    void IResourceHost.ClaimSession(
        string resource, SessionId session, NodeId node, Action<ArbiterAnswer> answered) =>
        throw new NotSupportedException();

    ulong IResourceHost.NewIdentifier() => throw new NotSupportedException();

    void IResourceHost.FillRandom(Span<byte> bytes) => throw new NotSupportedException();

    void IResourceHost.DoElsewhere(Action work, Action done) => throw new NotSupportedException();

    private void Note(string step) => _steps.Add(step);
}
