using MirrorD.Core;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Takeover;

/// <summary>Losing the right to serve.</summary>
public sealed partial class RoleSequence
{
    // Addresses go first; but one that sticks must not keep clients on a volume that fails every request.
    private const long RemovalWaitNs = 2 * SecondNs;

    private long _losses;
    private Loss? _loss;

    /// <summary>Waits for nobody: ends what is being acquired, and removes addresses, then exports.</summary>
    private void LoseRight(string reason)
    {
        if (_givesUp)
        {
            // Everything above the role is released already.
            return;
        }

        _losses++;
        ForgetWithdrawal();
        if (_isAcquiring)
        {
            _host.CancelHooks();
        }

        bool wasAcquired = _isAcquired;
        _isAcquired = false;
        if (_loss is not null)
        {
            // Nothing was acquired since the last one: it has the turn, or is next.
            return;
        }

        var attempt = new RoleAttempt(RoleRecordKind.Loss, reason, _ => { });
        Loss loss = _loss = new Loss(attempt, wasAcquired);
        attempt.Begin("addresses", _loop.NowNs);
        if (Canary.Breaks(BrokenRule.AddressesKeptAfterLoss))
        {
            Removed(loss);
        }
        else
        {
            RemoveAddresses(() => Removed(loss));
        }

        After(RemovalWaitNs, () => CloseExports(loss));
        if (!_hasTurn)
        {
            _hasTurn = true;
            GiveTurn(loss);
        }
    }

    private void Removed(Loss loss)
    {
        loss.IsRemoved = true;
        CloseExports(loss);
        GoOn(loss);
    }

    private void GiveTurn(Loss loss)
    {
        loss.HasTurn = true;
        SetStep("releasing after a lost right");
        _loop.Post(() => GoOn(loss));
    }

    private void CloseExports(Loss loss)
    {
        if (loss.IsClosing)
        {
            return;
        }

        loss.IsClosing = true;
        loss.Attempt.Begin("exports", _loop.NowNs);
        EndExports(() =>
        {
            loss.IsClosed = true;
            GoOn(loss);
        });
    }

    private void GoOn(Loss loss)
    {
        if (!loss.IsRemoved || !loss.IsClosed)
        {
            return;
        }

        string reason = loss.Attempt.Reason;
        if (loss.WasAcquired && !loss.IsTold)
        {
            loss.IsTold = true;
            Raise("right-lost", $"Resource {_options.Name} is no longer served by this node: {reason}.");
            _host.RoleRecorded(loss.Attempt.Record(true, reason, _loop.NowNs));
        }

        if (loss.HasTurn && !loss.IsEnding)
        {
            loss.IsEnding = true;
            StopWhatUsedIt(loss);
        }
    }

    /// <summary>What the hooks stop can't use the device any more; they run so that it is stopped at all.</summary>
    private void StopWhatUsedIt(Loss loss)
    {
        void End()
        {
            _loss = null;
            LeaveTurn();
        }

        if (!loss.WasAcquired || _isStopping)
        {
            End();
            return;
        }

        RunHooksAloud(HookStep.PreRelease, Role.Standby, _ =>
            RunHooksAloud(HookStep.PostRelease, Role.Standby, _ => End()));
    }

    /// <summary>One loss, until its hooks have ended.</summary>
    private sealed class Loss(RoleAttempt attempt, bool wasAcquired)
    {
        public RoleAttempt Attempt => attempt;

        public bool WasAcquired => wasAcquired;

        public bool IsRemoved { get; set; }

        public bool IsClosing { get; set; }

        public bool IsClosed { get; set; }

        public bool IsTold { get; set; }

        public bool HasTurn { get; set; }

        public bool IsEnding { get; set; }
    }
}
