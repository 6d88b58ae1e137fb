using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Takeover;

/// <summary>Getting the role, and what stands above it.</summary>
public sealed partial class RoleSequence
{
    // The peer's hooks may take their time before it hands over; after this the operator gets an answer.
    private const long HandOverWaitNs = 120 * SecondNs;

    private string _grantedAs = "";

    // Hooks of an acquisition run, which a loss ends.
    private bool _isAcquiring;

    private void Acquire(ResourceCommand command, Action<CommandOutcome> ended)
    {
        if (_isAcquired)
        {
            AcquireAgain(command, ended);
        }
        else if (_engine.RefusalOf(command) is { } refusal)
        {
            LeaveTurn();
            ended(refusal);
        }
        else
        {
            bool isSwitchover = command is ResourceCommand.RequestRole;
            var attempt = new RoleAttempt(
                isSwitchover ? RoleRecordKind.Switchover : RoleRecordKind.Promotion,
                command is ResourceCommand.Promote { Force: true } ? "forced by an operator" : "asked by an operator",
                ended);
            BeginAcquiring(attempt);
            if (command is ResourceCommand.Promote { Force: true })
            {
                Prepare(attempt, command);
                return;
            }

            // Asked while somebody else may still serve: later it can only be told.
            FindUsersAfterEnd(users =>
            {
                if (users.Count == 0)
                {
                    Prepare(attempt, command);
                    return;
                }

                End(attempt, false, new CommandOutcome(false, $"nothing was changed: {StillUsed(users)}", EndedRemedy));
            });
        }
    }

    private void Prepare(RoleAttempt attempt, ResourceCommand command) =>
        RunHooksAloud(HookStep.PreAcquire, Role.Standby, failure =>
        {
            if (failure is null)
            {
                Take(attempt, command);
            }
            else
            {
                End(attempt, false, NothingChanged(failure));
            }
        });

    /// <summary>By force a Primary that holds its requests goes on: what stands above the role is in place.</summary>
    private void AcquireAgain(ResourceCommand command, Action<CommandOutcome> ended)
    {
        if (command is ResourceCommand.Promote { Force: true })
        {
            SetStep("promoting");
            Await(command, null, outcome =>
            {
                LeaveTurn();
                ended(outcome);
            });
            return;
        }

        LeaveTurn();
        ended(AlreadyPrimary());
    }

    private CommandOutcome AlreadyPrimary() => new(
        true, $"Resource {_options.Name} is Primary here already; 'mirrorctl explain {_options.Name}' says whether "
        + "its requests wait, and for what.");

    private static CommandOutcome NothingChanged(string failure) => new(
        false, $"nothing was changed: {failure}", "make the hook succeed, or remove it from the configuration");

    private void BeginAcquiring(RoleAttempt attempt)
    {
        // From here on a loss of right stops this acquisition: the engine may gain the role and lose it again before
        // its answer is looked at.
        attempt.Losses = _losses;
        _isAcquiring = true;
        attempt.Begin("pre-acquire", _loop.NowNs);
    }

    private void Take(RoleAttempt attempt, ResourceCommand command)
    {
        Begin(attempt, "promote", "promoting");
        Await(command, command is ResourceCommand.RequestRole ? HandOverWaitNs : null, outcome =>
        {
            if (outcome.Succeeded)
            {
                AcquireAbove(attempt, failures => EndTaken(attempt, outcome, failures));
            }
            else
            {
                UndoHooks(() => End(attempt, false, outcome));
            }
        });
    }

    /// <summary>Undoes what the pre-acquire hooks prepared, unless there is no time for it.</summary>
    private void UndoHooks(Action then)
    {
        if (_isStopping)
        {
            then();
        }
        else
        {
            RunHooksAloud(HookStep.PostRelease, Role.Standby, _ => then());
        }
    }

    private void EndTaken(RoleAttempt attempt, CommandOutcome outcome, IReadOnlyList<string> failures)
    {
        string text = string.Join("; ", failures);
        bool isPrimary = IsRight(attempt);
        End(attempt, failures.Count == 0, failures.Count == 0
            ? outcome
            : new CommandOutcome(
                attempt.IsAutomatic && isPrimary, isPrimary ? $"resource {_options.Name} is Primary, but: {text}" : text,
                $"see 'mirrorctl status {_options.Name}' and 'mirrorctl events'"));
    }

    private bool IsGranted => _engine.Role == Role.Primary && !_isAcquired && !_isStopping;

    private void AcquireWhatWasGranted()
    {
        if (IsGranted && !_hasTurn)
        {
            InTurn(AcquireGranted);
        }
    }

    /// <summary>The engine has the role already, e.g. handed over by the peer.</summary>
    private void AcquireGranted()
    {
        if (!IsGranted)
        {
            LeaveTurn();
            return;
        }

        string reason = _grantedAs;
        Raise("role-taken", $"This node is Primary now: {reason}.");
        var attempt = new RoleAttempt(RoleRecordKind.Switchover, reason, _ => { });
        BeginAcquiring(attempt);
        RunHooksAloud(HookStep.PreAcquire, Role.Primary, failure => AcquireAbove(attempt, failures =>
        {
            IReadOnlyList<string> all = failure is null ? failures : [failure, .. failures];
            EndTaken(attempt, new CommandOutcome(true, reason), all);
        }));
    }

    /// <summary>
    /// The engine has the role: opens and adds what stands above it. After a loss nothing more is opened; the loss
    /// itself takes back what was.
    /// </summary>
    /// <param name="attempt">Whose right it is.</param>
    /// <param name="then">What failed; the role stays.</param>
    private void AcquireAbove(RoleAttempt attempt, Action<IReadOnlyList<string>> then)
    {
        if (!IsRight(attempt))
        {
            UndoHooks(() => then([_isStopping ? "this daemon is stopping" : "the role was lost again at once"]));
            return;
        }

        var failures = new List<string>();
        _isAcquired = true;
        _isAcquiring = true;
        Begin(attempt, "exports", "opening the exports");
        FindUsersAfterEnd(users => IfRight(attempt, then, () =>
        {
            TellUsersAfterEnd(users, failures);
            _host.OpenExports(failed => IfRight(attempt, then, () =>
            {
                Note("device-failed", failed, failures);
                Begin(attempt, "addresses", "adding the addresses");
                WhenRemoved(() => IfRight(attempt, then, () =>
                    AddAddresses(failures, () => IfRight(attempt, then, () => FinishAbove(attempt, failures, then)))));
            }));
        }));
    }

    private void Note(string kind, IReadOnlyList<string> failed, List<string> failures)
    {
        foreach (string failure in failed)
        {
            Raise(kind, failure);
            failures.Add(failure.TrimEnd('.'));
        }
    }

    private void FinishAbove(RoleAttempt attempt, List<string> failures, Action<IReadOnlyList<string>> then)
    {
        attempt.Begin("post-acquire", _loop.NowNs);
        RunHooksAloud(HookStep.PostAcquire, Role.Primary, failure => IfRight(attempt, then, () =>
        {
            failures.AddRange(failure is null ? [] : [failure]);
            TellAcquired(attempt, failures);
            then(failures);
        }));
    }

    private void IfRight(RoleAttempt attempt, Action<IReadOnlyList<string>> then, Action next)
    {
        if (IsRight(attempt))
        {
            next();
        }
        else
        {
            then([_isStopping ? "this daemon is stopping" : "the role was lost again meanwhile"]);
        }
    }

    private bool IsRight(RoleAttempt attempt) => attempt.Losses == _losses && !_isStopping;

    private void TellAcquired(RoleAttempt attempt, IReadOnlyList<string> failures)
    {
        if (attempt.Kind == RoleRecordKind.Takeover)
        {
            TellTakenOver(attempt, failures);
        }
        else
        {
            Raise("acquired", $"Resource {_options.Name} is served by this node.");
        }
    }
}
