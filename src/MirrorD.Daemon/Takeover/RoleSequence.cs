using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Takeover;

/// <summary>
/// The order of steps around the role of one resource.
/// <code>
/// acquire: pre-acquire hooks → role Primary (engine) → exports open → addresses added and announced →
/// post-acquire hooks release: pre-release hooks → addresses removed → exports closed → role Standby (engine)
/// → post-release hooks loss:    addresses removed → exports closed → pre-release and post-release hooks
/// </code>
/// One sequence at a time; a loss waits for nobody: it cancels what is being acquired and removes at once.
/// Invariant: an address is held only while the engine's last word was Primary (safety contract, invariant
/// 17).
/// </summary>
internal sealed partial class RoleSequence
{
    private readonly string _resource;
    private readonly IRoleEngine _engine;
    private readonly IExports _exports;
    private readonly IServiceAddresses _addresses;
    private readonly IHooks _hooks;
    private readonly Action<string, string> _raise;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();

    // Cancelled when the right to serve is lost; a new one begins with each promotion.
    private CancellationTokenSource _right = new();
    private bool _isAcquired;
    private volatile string? _step;

    /// <summary>Makes the sequence of a resource; nothing is done yet.</summary>
    /// <param name="resource">Name of the resource.</param>
    /// <param name="engine">Its engine.</param>
    /// <param name="exports">Its exports.</param>
    /// <param name="addresses">Its addresses.</param>
    /// <param name="hooks">Its hooks.</param>
    /// <param name="raise">Told what happened: kind and message of an event.</param>
    public RoleSequence(
        string resource, IRoleEngine engine, IExports exports, IServiceAddresses addresses, IHooks hooks,
        Action<string, string> raise)
    {
        _resource = resource;
        _engine = engine;
        _exports = exports;
        _addresses = addresses;
        _hooks = hooks;
        _raise = raise;
    }

    /// <summary>The step that runs now, for the status; null when none.</summary>
    public string? Step => _step;

    /// <summary>Takes over by command.</summary>
    public Task<CommandOutcome> Promote(bool force) => Exclusively(async () =>
        await AcquireAround(new ResourceCommand.Promote(force)));

    /// <summary>Releases by command.</summary>
    public Task<CommandOutcome> Demote() => Exclusively(async () =>
        await Release(new ResourceCommand.Demote()));

    /// <summary>Changes roles with the peer by command, from either side.</summary>
    public Task<CommandOutcome> Switchover() => Exclusively(async () => _engine.Role == Role.Primary
        ? await Release(new ResourceCommand.HandOver())
        : await AcquireAround(new ResourceCommand.RequestRole()));

    /// <summary>
    /// The engine lost or got the role otherwise than by a command. Returns at once; may be called on the
    /// loop.
    /// </summary>
    /// <returns>Ends when the steps are done; for tests.</returns>
    public Task RoleChanged(Role role, string reason) => role switch
    {
        Role.Standby => LoseRight(reason),
        // A command of this daemon goes on by itself when it has made this node Primary.
        Role.Primary when _takes || IsAcquired => Task.CompletedTask,
        Role.Primary => Task.Run(() => InTurn(async () =>
        {
            await AcquireGranted(reason);
            return true;
        })),
    };

    /// <summary>
    /// The peer asks for the role: hands it over. Returns at once; may be called on the loop.
    /// </summary>
    /// <returns>Ends when the steps are done; for tests.</returns>
    public Task PeerRequestsRole() => Task.Run(() => InTurn(async () =>
    {
        _raise("switchover-requested", "The peer asks for the Primary role.");
        CommandOutcome outcome = await Release(new ResourceCommand.HandOver());
        if (!outcome.Succeeded)
        {
            _raise("switchover-refused", outcome.Message);
            await _engine.Run(new ResourceCommand.RefuseRole(outcome.Message));
        }

        return true;
    }));

    /// <summary>
    /// Planned stop: what stands above the engine is released, whatever the hooks say, and the engine told to
    /// stop.
    /// </summary>
    public async Task<CommandOutcome> Stop()
    {
        // A hanging hook of a running sequence must not hold up the shutdown.
        await _stopping.CancelAsync();
        return await InTurn(async () =>
        {
            bool released = TakeAcquired();
            if (released)
            {
                await RunHooks(HookStep.PreRelease, Role.Primary, CancellationToken.None);
                await ReleaseAbove();
            }

            CommandOutcome outcome = await During("stopping", () => GiveUp(new ResourceCommand.Stop()));
            if (released)
            {
                await RunHooks(HookStep.PostRelease, Role.Standby, CancellationToken.None);
            }

            return outcome;
        });
    }

    private async Task<CommandOutcome> Exclusively(Func<Task<CommandOutcome>> sequence)
    {
        if (_stopping.IsCancellationRequested || !await _turn.WaitAsync(0))
        {
            return new CommandOutcome(
                false, $"resource {_resource} is busy: {_step ?? "stopping"}",
                $"wait for it ('mirrorctl status {_resource}' shows the step) and repeat the command");
        }

        return await ThenLetGo(sequence);
    }

    private async Task<T> InTurn<T>(Func<Task<T>> sequence)
    {
        await _turn.WaitAsync();
        return await ThenLetGo(sequence);
    }

    private async Task<T> ThenLetGo<T>(Func<Task<T>> sequence)
    {
        try
        {
            return await sequence();
        }
        finally
        {
            _step = null;
            _turn.Release();
        }
    }

    private async Task During(string name, Func<Task> step)
    {
        _step = name;
        await step();
    }

    private async Task<T> During<T>(string name, Func<Task<T>> step)
    {
        _step = name;
        return await step();
    }

    /// <summary>Failures are told; only the caller knows whether they matter.</summary>
    private async Task<string?> RunHooks(HookStep step, Role role, CancellationToken stop)
    {
        _step = $"running the {step.NameOf()} hooks";
        string? failure = await _hooks.Run(step, role, stop);
        if (failure is not null)
        {
            _raise("hook-failed", $"{char.ToUpperInvariant(failure[0])}{failure[1..]}.");
        }

        return failure;
    }

    private bool TakeAcquired()
    {
        lock (_gate)
        {
            bool was = _isAcquired;
            _isAcquired = false;
            return was;
        }
    }
}
