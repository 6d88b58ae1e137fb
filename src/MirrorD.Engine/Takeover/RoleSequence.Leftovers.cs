using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Takeover;

/// <summary>
/// Block devices that an earlier daemon left, and those that were taken away from under their users. Who uses one of these
/// gets errors, or what was read long ago, whatever is served here: a mount stays in its place.
/// </summary>
public sealed partial class RoleSequence
{
    private const string EndedRemedy =
        "end that use (stop the programs, unmount; 'umount -l' where that fails), then repeat the command";

    // Ends of left devices that have not happened yet: nothing is opened before.
    private int _endings;
    private readonly List<Action> _afterEndings = [];

    // A device may have been taken away while somebody used it.
    private bool _mayBeUsedAfterEnd;

    /// <summary>
    /// This node must not go on with what an earlier daemon left: ends it, names its users, and has the release hooks stop
    /// them, as at a loss of the right. May be called from inside an event of the replica.
    /// </summary>
    /// <param name="reason">Why, without full stop.</param>
    public void EndLeftovers(string reason)
    {
        _endings++;
        _host.FindDeviceUsers(users =>
        {
            if (users.Count > 0)
            {
                Raise("device-removed",
                    $"What an earlier mirrord left of resource {_options.Name} is taken away, as {reason}, and what waits "
                    + $"there fails: {string.Join("; ", users)}.");
            }

            EndExports(() =>
            {
                if (users.Count > 0 && !_isStopping)
                {
                    InTurn(StopUsersOfLeftovers);
                }

                Ended();
            });
        });
    }

    private void Ended()
    {
        if (--_endings == 0)
        {
            Action[] waiting = [.. _afterEndings];
            _afterEndings.Clear();
            Array.ForEach(waiting, then => then());
        }
    }

    private void StopUsersOfLeftovers()
    {
        if (_engine.Role == Role.Primary || _isStopping)
        {
            // They would stop what the new role has begun, or what is stopped anyway.
            LeaveTurn();
            return;
        }

        RunHooksAloud(HookStep.PreRelease, Role.Standby, _ =>
            RunHooksAloud(HookStep.PostRelease, Role.Standby, _ => LeaveTurn()));
    }

    /// <summary>An end that comes later would take what is opened now.</summary>
    private void WhenEnded(Action then)
    {
        if (_endings > 0)
        {
            _afterEndings.Add(then);
        }
        else
        {
            then();
        }
    }

    private void EndExports(Action done)
    {
        _mayBeUsedAfterEnd = true;
        _host.CloseExports(done);
    }

    /// <summary>Who still uses what was taken away; asked while nothing is open.</summary>
    private void FindUsersAfterEnd(Action<IReadOnlyList<string>> answered) => WhenEnded(() =>
    {
        if (!_mayBeUsedAfterEnd)
        {
            answered([]);
            return;
        }

        _host.FindDeviceUsers(users =>
        {
            _mayBeUsedAfterEnd = users.Count > 0;
            answered(users);
        });
    });

    private static string StillUsed(IEnumerable<string> users) =>
        $"a block device that was taken away is still in use: {string.Join("; ", users)}";

    private void TellUsersAfterEnd(IReadOnlyList<string> users, List<string> failures)
    {
        if (users.Count > 0)
        {
            string text = StillUsed(users);
            Note("device-failed", [$"{char.ToUpperInvariant(text[0])}{text[1..]}; it gets nothing of what is served now."],
                failures);
        }
    }
}
