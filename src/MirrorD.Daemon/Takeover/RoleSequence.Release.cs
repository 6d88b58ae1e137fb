using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Takeover;

internal sealed partial class RoleSequence
{
    // Set while a command of this daemon ends the role.
    private volatile bool _givesUp;

    // The release after the last loss; nothing new is acquired before its end, or it would take that away
    // again.
    private Task _losing = Task.CompletedTask;

    private static readonly TimeSpan s_removalWait = TimeSpan.FromSeconds(2);

    /// <summary>Hooks, what stands above the role, and the engine's command that gives the role up.</summary>
    private async Task<CommandOutcome> Release(ResourceCommand command)
    {
        if (_engine.Role != Role.Primary)
        {
            return await _engine.Run(command);
        }

        if (await RunHooks(HookStep.PreRelease, Role.Primary, _stopping.Token) is { } failure)
        {
            return new CommandOutcome(
                false, $"nothing was changed: {failure}",
                "make the hook succeed, or remove it from the configuration");
        }

        TakeAcquired();
        await ReleaseAbove();
        CommandOutcome outcome = await During("giving the role up", () => GiveUp(command));
        if (outcome.Succeeded || _engine.Role == Role.Standby)
        {
            // A hand-over that the peer did not confirm leaves a Standby, too.
            await RunHooks(HookStep.PostRelease, Role.Standby, _stopping.Token);
            _raise("released", $"Resource {_resource} is no longer served by this node.");
            return outcome;
        }

        if (!_stopping.IsCancellationRequested)
        {
            _raise(
                "release-failed", $"The role could not be given up, this node serves on: {outcome.Message}");
            await AcquireAbove(BeginRight());
        }

        return outcome;
    }

    /// <summary>Runs a command that ends the role; the change of role that it causes is no loss.</summary>
    private async Task<CommandOutcome> GiveUp(ResourceCommand command)
    {
        _givesUp = true;
        try
        {
            return await _engine.Run(command);
        }
        finally
        {
            _givesUp = false;
        }
    }

    /// <summary>
    /// Waits for no sequence: cancels the one that acquires, and removes addresses, then exports.
    /// </summary>
    private Task LoseRight(string reason)
    {
        if (_givesUp)
        {
            // Everything above the role is released already.
            return Task.CompletedTask;
        }

        bool wasAcquired;
        Task released;
        lock (_gate)
        {
            wasAcquired = _isAcquired;
            _isAcquired = false;
            CancellationTokenSource right = _right;
            released = _losing = Task.Run(() => ReleaseAtOnce(right));
        }

        return wasAcquired ? TellAndStop(released, reason) : released;
    }

    private async Task ReleaseAtOnce(CancellationTokenSource right)
    {
        await right.CancelAsync();
        Task removed = _addresses.Release();
        // Addresses go first; but one that sticks must not keep clients on a volume that fails every request.
        await Task.WhenAny(removed, Task.Delay(s_removalWait));
        await _exports.Close();
        await removed;
    }

    private async Task TellAndStop(Task released, string reason)
    {
        await released;
        _raise("right-lost", $"Resource {_resource} is no longer served by this node: {reason}.");
        await InTurn(async () =>
        {
            // What the hooks stop can't use the device any more; they run so that it is stopped at all.
            await RunHooks(HookStep.PreRelease, Role.Standby, _stopping.Token);
            await RunHooks(HookStep.PostRelease, Role.Standby, _stopping.Token);
            return true;
        });
    }

    private async Task ReleaseAbove()
    {
        _step = "removing the addresses";
        await _addresses.Release();
        _step = "closing the exports";
        await _exports.Close();
        _step = null;
    }
}
