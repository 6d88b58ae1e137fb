using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Takeover;

/// <summary>Giving the role up as planned.</summary>
public sealed partial class RoleSequence
{
    // The engine is told to end the role: the change of role that this causes is no loss.
    private bool _givesUp;

    private const long UsersIntervalNs = SecondNs / 2;

    private static readonly CommandOutcome s_lostMeanwhile = new(false, "the role was lost meanwhile");

    private void Release(ResourceCommand command, Action<CommandOutcome> ended)
    {
        if (_engine.RefusalOf(command) is { } refusal)
        {
            LeaveTurn();
            ended(refusal);
            return;
        }

        if (_engine.Role != Role.Primary)
        {
            Await(command, null, outcome =>
            {
                LeaveTurn();
                ended(outcome);
            });
            return;
        }

        bool isHandOver = command is ResourceCommand.HandOver;
        var attempt = new RoleAttempt(
            isHandOver ? RoleRecordKind.Switchover : RoleRecordKind.Release, "asked by an operator", ended);
        Release(attempt, command);
    }

    private void Release(RoleAttempt attempt, ResourceCommand command)
    {
        attempt.Losses = _losses;
        attempt.Begin("pre-release", _loop.NowNs);
        RunHooksAloud(HookStep.PreRelease, Role.Primary, failure =>
        {
            if (attempt.Losses != _losses)
            {
                End(attempt, false, s_lostMeanwhile);
            }
            else if (failure is not null)
            {
                StayPrimary(attempt, failure, "make the hook succeed, or remove it from the configuration");
            }
            else
            {
                _host.FindDeviceUsers(users => ReleaseUnused(attempt, command, users));
            }
        });
    }

    /// <summary>Nobody's block device is taken away: whoever uses one is named, and keeps it.</summary>
    private void ReleaseUnused(RoleAttempt attempt, ResourceCommand command, IReadOnlyList<string> users)
    {
        if (attempt.Losses != _losses)
        {
            End(attempt, false, s_lostMeanwhile);
        }
        else if (users.Count == 0)
        {
            ReleaseAbove(attempt, () => GiveUp(attempt, command, outcome => EndRelease(attempt, outcome)));
        }
        else
        {
            string used = string.Join("; ", users);
            Raise("device-in-use", $"The role is not given up: {used}.");
            StayPrimary(attempt, used, "end that use (unmount it, stop the program), or have a pre-release hook do it; "
                + "then repeat the command");
        }
    }

    /// <summary>
    /// The release ends before anything above the role is gone. Of the pre-release hooks some have run: what they have
    /// ended is begun again.
    /// </summary>
    private void StayPrimary(RoleAttempt attempt, string reason, string remedy)
    {
        if (_isStopping)
        {
            // The stop runs them for good.
            End(attempt, false, new CommandOutcome(false, "this daemon is stopping"));
            return;
        }

        attempt.Begin("post-acquire", _loop.NowNs);
        _isAcquiring = true;
        RunHooksAloud(HookStep.PostAcquire, Role.Primary, failure =>
        {
            string restored = failure is null ? "was begun again" : $"may still be so: {failure}";
            End(attempt, false, attempt.Losses != _losses ? s_lostMeanwhile : new CommandOutcome(
                false,
                $"this node stays Primary: {reason}; what the pre-release hooks had ended {restored}", remedy));
        });
    }

    private void EndRelease(RoleAttempt attempt, CommandOutcome outcome)
    {
        if (outcome.Succeeded || _engine.Role == Role.Standby)
        {
            ForgetWithdrawal();
            // A hand-over that the peer did not confirm leaves a Standby, too.
            attempt.Begin("post-release", _loop.NowNs);
            RunHooksAloud(HookStep.PostRelease, Role.Standby, _ =>
            {
                Raise("released", $"Resource {_options.Name} is no longer served by this node.");
                End(attempt, outcome.Succeeded, outcome);
            });
            return;
        }

        if (!IsRight(attempt))
        {
            End(attempt, false, outcome);
            return;
        }

        Raise("release-failed", $"The role could not be given up, this node serves on: {outcome.Message}.");
        AcquireAbove(attempt, _ => End(attempt, false, outcome));
    }

    /// <summary>The rules want the peer to serve: hands over, unless something else is being done.</summary>
    /// <param name="reason">Why, without full stop.</param>
    /// <returns>False when nothing is begun.</returns>
    public bool HandOver(string reason)
    {
        var command = new ResourceCommand.HandOver();
        bool begins = !_isStopping && !_hasTurn && _engine.Role == Role.Primary && _engine.RefusalOf(command) is null;
        if (begins)
        {
            InTurn(() => Release(new RoleAttempt(RoleRecordKind.Switchover, reason, _ => { }), command));
        }

        return begins;
    }

    private void HandOverAsAsked()
    {
        if (_engine.Role != Role.Primary)
        {
            // Lost or given up meanwhile: the peer is told that by the engine.
            LeaveTurn();
            return;
        }

        Raise("switchover-requested", "The peer asks for the Primary role.");
        void Ended(CommandOutcome outcome)
        {
            if (!outcome.Succeeded)
            {
                Raise("switchover-refused", outcome.Message);
                // Not from inside the replica's answer.
                _loop.Post(() => _engine.RefuseRole(outcome.Message));
            }
        }

        var command = new ResourceCommand.HandOver();
        if (_engine.RefusalOf(command) is { } refusal)
        {
            LeaveTurn();
            Ended(refusal);
            return;
        }

        Release(new RoleAttempt(RoleRecordKind.Switchover, "asked by the peer", Ended), command);
    }

    private void Stop(ResourceCommand.Stop command, Action<CommandOutcome> ended)
    {
        if (_isStopping)
        {
            ended(new CommandOutcome(false, "a stop is under way already"));
            return;
        }

        // Neither a hanging hook nor a promotion that waits must hold up the shutdown.
        _isStopping = true;
        if (_hasTurn)
        {
            _host.CancelHooks();
        }

        _endWait?.Invoke("this daemon is stopping");
        InTurn(() => StopInTurn(new RoleAttempt(RoleRecordKind.Release, "planned stop", ended), command.HandsOver));
    }

    private void StopInTurn(RoleAttempt attempt, bool handsOver)
    {
        if (!_isAcquired)
        {
            StopEngine(attempt, outcome =>
            {
                LeaveTurn();
                attempt.Ended(outcome);
            });
            return;
        }

        attempt.Begin("pre-release", _loop.NowNs);
        RunHooksAloud(HookStep.PreRelease, Role.Primary, _ => WhenUnused(() => ReleaseAbove(attempt, () =>
            HandOverBeforeStop(attempt, handsOver, () => StopEngine(attempt, outcome =>
            {
                attempt.Begin("post-release", _loop.NowNs);
                RunHooksAloud(HookStep.PostRelease, Role.Standby, _ => End(attempt, outcome.Succeeded, outcome));
            })))));
    }

    /// <summary>
    /// A stop serves on while a block device is in use: without its server, whoever uses it would hang or lose data.
    /// How long it may wait is up to the daemon.
    /// </summary>
    private void WhenUnused(Action then)
    {
        if (_engine.Role != Role.Primary)
        {
            then();
            return;
        }

        _host.FindDeviceUsers(users =>
        {
            if (users.Count == 0)
            {
                then();
                return;
            }

            RaiseOnce("device-in-use", $"The stop waits, and this node serves on: {string.Join("; ", users)}.");
            SetStep("waiting until the block devices are unused");
            After(UsersIntervalNs, () => WhenUnused(then));
        });
    }

    /// <summary>When it can't be handed over, the stop goes on without.</summary>
    private void HandOverBeforeStop(RoleAttempt attempt, bool handsOver, Action then)
    {
        var command = new ResourceCommand.HandOver();
        if (!handsOver || _engine.Role != Role.Primary)
        {
            then();
        }
        else if (_engine.RefusalOf(command) is { } refusal)
        {
            TellNotHandedOver(refusal);
            then();
        }
        else
        {
            GiveUp(attempt, command, outcome =>
            {
                if (!outcome.Succeeded)
                {
                    TellNotHandedOver(outcome);
                }

                // Not from inside the replica's answer.
                _loop.Post(then);
            });
        }
    }

    private void TellNotHandedOver(CommandOutcome outcome) => Raise(
        "switchover-failed", $"The role is not handed over before the stop: {outcome.Message}.");

    private void StopEngine(RoleAttempt attempt, Action<CommandOutcome> then) =>
        GiveUp(attempt, new ResourceCommand.Stop(), then);

    private void ReleaseAbove(RoleAttempt attempt, Action then)
    {
        _isAcquired = false;
        Begin(attempt, "addresses", "removing the addresses");
        RemoveAddresses(() =>
        {
            Begin(attempt, "exports", "closing the exports");
            EndExports(then);
        });
    }

    private void GiveUp(RoleAttempt attempt, ResourceCommand command, Action<CommandOutcome> then)
    {
        Begin(attempt, "role", command is ResourceCommand.Stop ? "stopping" : "giving the role up");
        _givesUp = true;
        _engine.Run(command, outcome =>
        {
            _givesUp = false;
            then(outcome);
        });
    }
}
