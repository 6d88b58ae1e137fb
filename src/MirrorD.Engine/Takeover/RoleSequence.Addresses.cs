using MirrorD.Formats;

namespace MirrorD.Engine.Takeover;

/// <summary>The service addresses of a Primary, which it also does without while it can't serve.</summary>
public sealed partial class RoleSequence
{
    // Removals that have not ended: nothing is added before.
    private int _removals;
    private readonly List<Action> _afterRemovals = [];

    // Counts what overtakes a restoration.
    private long _addressTurns;

    private bool _isWithdrawn;
    private bool _isRestoring;

    /// <summary>
    /// A Primary that holds its requests removes its addresses, so that clients find another one; role, exports and
    /// what the hooks started stay. Nothing happens when they are withdrawn already.
    /// </summary>
    /// <param name="reason">Why, without full stop.</param>
    public void WithdrawAddresses(string reason)
    {
        _addressTurns++;
        _isRestoring = false;
        if (_isWithdrawn || _engine.Role != Role.Primary)
        {
            return;
        }

        _isWithdrawn = true;
        if (_isAcquired)
        {
            Raise("addresses-withdrawn",
                $"Resource {_options.Name}: this node gives its service addresses up for now: {reason}.");
            RemoveAddresses(() => { });
        }
    }

    /// <summary>It serves again: adds the addresses that were withdrawn, once nobody else answers for them.</summary>
    public void RestoreAddresses()
    {
        if (_isWithdrawn && !_isRestoring)
        {
            _isRestoring = true;
            GoOnRestoring();
        }
    }

    /// <summary>
    /// The host has removed the addresses by itself, as this loop stood still, and it moves again: adds them again.
    /// </summary>
    public void AddressesWereRemoved()
    {
        if (_isAcquired && !_isWithdrawn)
        {
            _isWithdrawn = true;
            RestoreAddresses();
        }
    }

    private void GoOnRestoring()
    {
        if (!_isRestoring || _removals > 0 || !_isAcquired)
        {
            // Not wanted; or it goes on when they are removed, or when this node holds what belongs to its role.
            return;
        }

        long turn = ++_addressTurns;
        _host.ProbeAddresses(holder =>
        {
            if (turn != _addressTurns || !_isAcquired)
            {
                return;
            }

            if (holder is null)
            {
                ForgetWithdrawal();
                AddAddresses([], () => { });
                Raise("addresses-added-again",
                    $"Resource {_options.Name}: this node serves again, and has its service addresses again.");
                return;
            }

            RaiseOnce("address-conflict",
                $"Resource {_options.Name}: {holder}; this node adds its service addresses again when that has ended. "
                + $"See 'mirrorctl status {_options.Name}' on {_options.PeerName}.");
            After(ProbeIntervalNs, () =>
            {
                if (turn == _addressTurns)
                {
                    GoOnRestoring();
                }
            });
        });
    }

    private void ForgetWithdrawal() => _isWithdrawn = _isRestoring = false;

    /// <summary>Adds them unless they are withdrawn. What fails is told, and tried again by the host.</summary>
    private void AddAddresses(List<string> failures, Action then)
    {
        if (_isWithdrawn)
        {
            GoOnRestoring();
            then();
            return;
        }

        _host.AddAddresses(failed =>
        {
            Note("address-failed", failed, failures);
            then();
        });
    }

    private void RemoveAddresses(Action gone)
    {
        _addressTurns++;
        _removals++;
        _host.RemoveAddresses(() =>
        {
            _removals--;
            gone();
            if (_removals == 0)
            {
                Action[] waiting = [.. _afterRemovals];
                _afterRemovals.Clear();
                Array.ForEach(waiting, then => then());
                GoOnRestoring();
            }
        });
    }

    /// <summary>A removal that has not ended would take away what is added now.</summary>
    private void WhenRemoved(Action then)
    {
        if (_removals > 0)
        {
            _afterRemovals.Add(then);
        }
        else
        {
            then();
        }
    }
}
