using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io;

namespace MirrorD.Engine.Takeover;

/// <summary>Taking over from a lost Primary without an operator.</summary>
public sealed partial class RoleSequence
{
    private const long ProbeIntervalNs = SecondNs;

    // A takeover that stays impossible is tried again and again, and told once.
    private const long SameAgainNs = 60 * SecondNs;

    private static readonly ResourceCommand s_takeOver = new ResourceCommand.Promote(false, Automatic: true);

    private string? _toldOnce;
    private long _toldOnceAtNs;

    /// <summary>
    /// Takes the role without an operator. Everything that speaks against it is asked before the claim; after the
    /// claim nothing turns back. Not from inside an event of the replica.
    /// </summary>
    /// <param name="kind">
    /// Takeover from a lost peer, which is told as such; Promotion when the role was this node's anyway.
    /// </param>
    /// <param name="reason">What was lost, without full stop.</param>
    /// <param name="lostAtNs">Loop time at which the first path was lost.</param>
    /// <param name="veto">
    /// What speaks against it as things are now, without full stop; null when nothing does. Asked first, while
    /// waiting, and in the turn of the claim.
    /// </param>
    /// <param name="ended">Succeeded when this node has the role, whatever failed above it.</param>
    public void TakeOver(
        RoleRecordKind kind, string reason, long lostAtNs, Func<string?> veto, Action<CommandOutcome> ended)
    {
        CommandOutcome? refusal = _isAcquired ? AlreadyPrimary()
            : _isStopping || _hasTurn ? Busy()
            : veto() is { } vetoed ? new CommandOutcome(false, vetoed)
            : _engine.RefusalOf(s_takeOver);
        if (refusal is not null)
        {
            ended(refusal);
            return;
        }

        var attempt = new RoleAttempt(kind, reason, ended) { IsAutomatic = true };
        attempt.Begin("detect", lostAtNs);
        _isAutomatic = true;
        InTurn(() =>
        {
            BeginAcquiring(attempt);
            RunHooks(HookStep.PreAcquire, Role.Standby, failure =>
            {
                if (failure is not null)
                {
                    EndUnclaimed(attempt, "takeover-vetoed", NothingChanged(failure));
                }
                else
                {
                    attempt.Begin("probe", _loop.NowNs);
                    Probe(attempt, veto, _loop.NowNs + (_options.ReleaseTimeoutMs * 1_000_000L));
                }
            });
        });
    }

    /// <summary>
    /// Somebody who still answers for a service address has until then to remove it. In a takeover without arbiter
    /// nobody else prevents that both serve, so that nothing is claimed from somebody who answers.
    /// </summary>
    private void Probe(RoleAttempt attempt, Func<string?> veto, long untilNs)
    {
        SetStep("asking who has the addresses");
        _host.ProbeAddresses(holder =>
        {
            if (Against(veto) is { } against)
            {
                UndoHooks(() => EndUnclaimed(attempt, "takeover-vetoed", new CommandOutcome(false, against)));
            }
            else if (holder is null)
            {
                Take(attempt, s_takeOver);
            }
            else if (_loop.NowNs < untilNs)
            {
                SetStep($"waiting, as {holder}");
                Pause(ProbeIntervalNs, () => Probe(attempt, veto, untilNs));
            }
            else
            {
                StillHeld(attempt, holder);
            }
        });
    }

    private string? Against(Func<string?> veto) => _isStopping ? "this daemon is stopping" : veto();

    private void StillHeld(RoleAttempt attempt, string holder)
    {
        if (_host.HasArbiter || attempt.Kind != RoleRecordKind.Takeover)
        {
            string decides = _host.HasArbiter ? "the arbiter" : "the peer's word or a stored proof";
            RaiseOnce("takeover-blocked",
                $"Resource {_options.Name}: {holder}; {decides} decides whether this node goes on all the same. "
                + $"Clients may reach the other holder until it is gone: look at {_options.PeerName}.");
            Take(attempt, s_takeOver);
            return;
        }

        var blocked = new CommandOutcome(
            false, $"{holder}, and nothing was claimed",
            $"make sure that {_options.PeerName} is off, then: mirrorctl promote {_options.Name} --force");
        UndoHooks(() => EndUnclaimed(attempt, "takeover-blocked", blocked));
    }

    /// <summary>Nothing was claimed: told and recorded, unless it is what was told last.</summary>
    private void EndUnclaimed(RoleAttempt attempt, string kind, CommandOutcome outcome)
    {
        string remedy = outcome.Remedy is { } text ? $"; {text}" : "";
        if (!_isStopping
            && RaiseOnce(kind, $"Resource {_options.Name} is not taken over: {outcome.Message}{remedy}."))
        {
            End(attempt, false, outcome);
            return;
        }

        LeaveTurn();
        attempt.Ended(outcome);
    }

    private void TellTakenOver(RoleAttempt attempt, IReadOnlyList<string> failures)
    {
        double tookS = (_loop.NowNs - attempt.StartNs) / (double)SecondNs;
        string but = failures.Count == 0 ? "" : $", but: {string.Join("; ", failures)}";
        Raise("takeover", FormattableString.Invariant(
            $"This node has taken over {_options.Name} within {tookS:0.0} s, as {attempt.Reason}{but}."));
    }

    private void Pause(long timeNs, Action then)
    {
        Action? resume = null;
        IoOperation timer = After(timeNs, () => resume?.Invoke());
        resume = () =>
        {
            resume = null;
            _endWait = null;
            then();
        };
        _endWait = _ =>
        {
            _loop.CancelTimer(timer);
            resume?.Invoke();
        };
    }

    private bool RaiseOnce(string kind, string message)
    {
        bool isNew = _toldOnce != kind + message || _loop.NowNs - _toldOnceAtNs > SameAgainNs;
        (_toldOnce, _toldOnceAtNs) = (kind + message, _loop.NowNs);
        if (isNew)
        {
            Raise(kind, message);
        }

        return isNew;
    }
}
