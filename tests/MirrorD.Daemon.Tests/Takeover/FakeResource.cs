using MirrorD.Daemon.Resources;
using MirrorD.Daemon.Takeover;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Tests.Takeover;

/// <summary>Everything around a role sequence; notes each step in the order in which it happens.</summary>
internal sealed class FakeResource : IRoleEngine, IExports, IServiceAddresses, IHooks
{
    private readonly Lock _gate = new();
    private readonly List<string> _steps = [];

    public FakeResource() =>
        Sequence = new RoleSequence("mail", this, this, this, this, (kind, _) => Note($"event {kind}"));

    public RoleSequence Sequence { get; }

    public Role Role { get; set; } = Role.Standby;

    /// <summary>Answers a command instead of success.</summary>
    public Func<ResourceCommand, CommandOutcome?> Refuse { get; set; } = _ => null;

    public HashSet<HookStep> FailingHooks { get; } = [];

    /// <summary>A step whose hook hangs until it is cancelled.</summary>
    public HookStep? HangingHook { get; set; }

    public TaskCompletionSource HookHangs { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What came of the last change of role that the engine told.</summary>
    public Task Told { get; private set; } = Task.CompletedTask;

    /// <summary>The removal of addresses waits for this.</summary>
    public Task MayRemove { get; set; } = Task.CompletedTask;

    public bool HoldsAddresses { get; private set; }

    public bool IsOpen { get; private set; }

    public IReadOnlyList<string> Steps
    {
        get
        {
            lock (_gate)
            {
                return [.. _steps];
            }
        }
    }

    public void Forget()
    {
        lock (_gate)
        {
            _steps.Clear();
        }
    }

    Task<CommandOutcome> IRoleEngine.Run(ResourceCommand command)
    {
        Note(command.GetType().Name);
        if (Refuse(command) is { } refusal)
        {
            return Task.FromResult(refusal);
        }

        Role before = Role;
        Role = RunningResource.RoleAfter(command, before);
        if (Role != before)
        {
            // The engine tells every change of role, those by command too: a loss before its outcome, a gain
            // behind it.
            Told = Sequence.RoleChanged(Role, "by command");
        }

        return Task.FromResult(new CommandOutcome(true, "done"));
    }

    Task IExports.Open()
    {
        Note("exports open");
        IsOpen = true;
        return Task.CompletedTask;
    }

    Task IExports.Close()
    {
        Note("exports closed");
        IsOpen = false;
        return Task.CompletedTask;
    }

    Task<IReadOnlyList<string>> IServiceAddresses.Acquire(CancellationToken mayHold)
    {
        if (!mayHold.IsCancellationRequested)
        {
            Note("addresses added");
            HoldsAddresses = true;
        }

        return Task.FromResult<IReadOnlyList<string>>([]);
    }

    async Task IServiceAddresses.Release()
    {
        await MayRemove;
        Note("addresses removed");
        HoldsAddresses = false;
    }

    async Task<string?> IHooks.Run(HookStep step, Role role, CancellationToken stop)
    {
        Note($"{step.NameOf()} as {role}");
        if (step == HangingHook)
        {
            var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = stop.Register(cancelled.SetResult);
            HookHangs.TrySetResult();
            await cancelled.Task;
            Note("hook killed");
            return "the hook was ended";
        }

        return FailingHooks.Contains(step)
            ? $"the {step.NameOf()} hook 'x' failed with exit code 1"
            : null;
    }

    private void Note(string step)
    {
        lock (_gate)
        {
            _steps.Add(step);
        }
    }
}
