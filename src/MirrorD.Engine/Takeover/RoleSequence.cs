using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io;

namespace MirrorD.Engine.Takeover;

/// <summary>
/// The order of steps around the role of one resource. On the resource's loop only; every wait is a callback there.
/// <code>
/// acquire:  pre-acquire hooks → role Primary (engine) → exports open → addresses added → post-acquire hooks
/// takeover: vetoes → pre-acquire hooks → address probe → vetoes → as acquire, from the engine on
/// release:  pre-release hooks → devices unused → addresses removed → exports closed → role Standby (engine) → post-release hooks
/// loss:     addresses removed → exports closed → pre-release hooks → post-release hooks
/// left:     users found → exports closed → if there were any: pre-release hooks → post-release hooks
/// </code>
/// One sequence at a time, in turn. A loss removes and closes at once, whatever runs; what is being acquired ends,
/// and the hooks of the loss take their turn. Once the engine has the role nothing but a loss or a stop takes it
/// away. Invariant: addresses are added only while the engine is Primary, and removed in the turn in which it ceases
/// to be (safety contract, invariant 17).
/// </summary>
public sealed partial class RoleSequence
{
    private const long SecondNs = 1_000_000_000;

    private readonly IIoLoop _loop;
    private readonly ResourceOptions _options;
    private readonly IResourceHost _host;
    private readonly IRoleEngine _engine;
    private readonly Action _stepChanged;
    private readonly Queue<Action> _waiting = new();

    private bool _hasTurn;
    private bool _isStopping;

    // The exports and addresses of a Primary are here, or on their way.
    private bool _isAcquired;

    // Ends the wait for the engine or for time in which a sequence is, and why.
    private Action<string>? _endWait;

    // Nobody asked for the sequence that has the turn.
    private bool _isAutomatic;

    /// <summary>Makes the sequence of a resource; nothing is done yet.</summary>
    /// <param name="loop">The resource's loop.</param>
    /// <param name="options">The resource.</param>
    /// <param name="host">Hooks, exports, addresses, probes.</param>
    /// <param name="engine">The replica.</param>
    /// <param name="stepChanged">Called when <see cref="Step"/> changed.</param>
    public RoleSequence(
        IIoLoop loop, ResourceOptions options, IResourceHost host, IRoleEngine engine, Action stepChanged)
    {
        _loop = loop;
        _options = options;
        _host = host;
        _engine = engine;
        _stepChanged = stepChanged;
    }

    /// <summary>The step that runs now; null when none.</summary>
    public RoleStep? Step { get; private set; }

    /// <summary>Runs a command of an operator, or the daemon's stop. Not from inside an event of the replica.</summary>
    /// <param name="command">The command.</param>
    /// <param name="ended">The outcome, when all steps are done.</param>
    public void Command(ResourceCommand command, Action<CommandOutcome> ended)
    {
        if (command is ResourceCommand.Stop stop)
        {
            Stop(stop, ended);
            return;
        }

        if (command is ResourceCommand.Promote { Force: true } && _isAutomatic && _waiting.Count == 0 && !_isStopping)
        {
            // What nobody asked for may wait for an arbiter that is away, for ever.
            InTurn(() => Acquire(command, ended));
            _endWait?.Invoke("an operator promotes by force");
            return;
        }

        if (_isStopping || (_hasTurn && (_loss is null || _waiting.Count > 0)))
        {
            // Only a loss, which nobody asked for, is waited for.
            ended(Busy());
            return;
        }

        InTurn(() =>
        {
            switch (command)
            {
                case ResourceCommand.Promote or ResourceCommand.RequestRole:
                    Acquire(command, ended);
                    break;
                case ResourceCommand.Switchover when _engine.Role != Role.Primary:
                    Acquire(new ResourceCommand.RequestRole(), ended);
                    break;
                case ResourceCommand.Switchover:
                    Release(new ResourceCommand.HandOver(), ended);
                    break;
                default:
                    Release(command, ended);
                    break;
            }
        });
    }

    /// <summary>The replica lost or got the role, by command or otherwise. From inside its event.</summary>
    public void RoleChanged(Role role, string reason)
    {
        if (role == Role.Standby)
        {
            LoseRight(reason);
            return;
        }

        // A sequence that takes the role goes on by itself; what else has the turn is followed by this.
        _grantedAs = reason;
        AcquireWhatWasGranted();
    }

    /// <summary>The joined peer asks for the role: hands it over. From inside an event of the replica.</summary>
    public void PeerRequestsRole()
    {
        if (!_isStopping)
        {
            InTurn(HandOverAsAsked);
        }
    }

    private CommandOutcome Busy() => new(
        false, $"resource {_options.Name} is busy: {(_isStopping ? "stopping" : Step?.Name ?? "changing its role")}",
        $"wait for it ('mirrorctl status {_options.Name}' shows the step) and repeat the command");

    /// <summary>Begins a sequence when it is its turn: at once or later, but never from inside the caller's event.</summary>
    private void InTurn(Action sequence)
    {
        if (_hasTurn)
        {
            _waiting.Enqueue(sequence);
            return;
        }

        _hasTurn = true;
        _loop.Post(sequence);
    }

    private void LeaveTurn()
    {
        _isAcquiring = false;
        _isAutomatic = false;
        SetStep(null);
        _hasTurn = _loss is { HasTurn: false } || _waiting.Count > 0;
        if (_loss is { HasTurn: false } loss)
        {
            // Before whatever else waits: it undoes what was acquired earlier.
            GiveTurn(loss);
        }
        else if (_waiting.TryDequeue(out Action? next))
        {
            _loop.Post(next);
        }
        else
        {
            AcquireWhatWasGranted();
        }
    }

    /// <summary>The sequence has ended. Its record is made before anybody hears of it.</summary>
    private void End(RoleAttempt attempt, bool succeeded, CommandOutcome outcome)
    {
        string text = succeeded ? attempt.Reason : $"{attempt.Reason}: {outcome.Message}";
        _host.RoleRecorded(attempt.Record(succeeded, text, _loop.NowNs));
        LeaveTurn();
        attempt.Ended(outcome);
    }

    private void Begin(RoleAttempt attempt, string phase, string step)
    {
        attempt.Begin(phase, _loop.NowNs);
        SetStep(step);
    }

    private void SetStep(string? name)
    {
        Step = name is null ? null : new RoleStep(name, _loop.NowNs);
        _stepChanged();
    }

    private void RunHooks(HookStep step, Role role, Action<string?> ended)
    {
        SetStep($"running the {step.NameOf()} hooks");
        _host.RunHooks(step, role, ended);
    }

    /// <summary>Failures are told; only the caller knows whether they matter.</summary>
    private void RunHooksAloud(HookStep step, Role role, Action<string?> ended) => RunHooks(step, role, failure =>
    {
        if (failure is not null)
        {
            Raise("hook-failed", $"{char.ToUpperInvariant(failure[0])}{failure[1..]}.");
        }

        ended(failure);
    });

    /// <summary>
    /// Runs a command of the engine that may wait for others. The wait is given up after a time, or with a stop; what
    /// the engine makes of the command later is then told as a change of role.
    /// </summary>
    private void Await(ResourceCommand command, long? atMostNs, Action<CommandOutcome> answered)
    {
        IoOperation? deadline = null;
        bool isOver = false;
        void Over(CommandOutcome outcome)
        {
            if (isOver)
            {
                return;
            }

            isOver = true;
            _endWait = null;
            if (deadline is not null)
            {
                _loop.CancelTimer(deadline);
            }

            answered(outcome);
        }

        _endWait = why => Over(new CommandOutcome(false, why));
        deadline = atMostNs is not { } time ? null : After(time, () => Over(new CommandOutcome(
            false, $"{_options.PeerName} did not hand over within {time / SecondNs} s",
            $"see 'mirrorctl events' on {_options.PeerName}")));
        _engine.Run(command, Over);
    }

    private IoOperation After(long timeNs, Action action)
    {
        var timer = new IoOperation(operation =>
        {
            if (operation.Result == 0)
            {
                action();
            }
        });
        _loop.StartTimer(_loop.NowNs + timeNs, timer);
        return timer;
    }

    private void Raise(string kind, string message) =>
        _host.Raise(new ResourceEvent(_loop.NowNs, kind, message));
}
