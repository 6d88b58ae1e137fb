using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Takeover;

internal sealed partial class RoleSequence
{
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
                false, $"nothing was changed: {failure}", "make the hook succeed, or remove it from the configuration");
        }

        TakeAcquired();
        await ReleaseAbove();
        CommandOutcome outcome = await During("giving the role up", () => _engine.Run(command));
        if (outcome.Succeeded)
        {
            await RunHooks(HookStep.PostRelease, Role.Standby, _stopping.Token);
            _raise("released", $"Resource {_resource} is no longer served by this node.");
            return outcome;
        }

        if (_engine.Role == Role.Primary && !_stopping.IsCancellationRequested)
        {
            _raise("release-failed", $"The role could not be given up, this node serves on: {outcome.Message}");
            await AcquireAbove(BeginRight());
        }

        return outcome;
    }

    /// <summary>Waits for no sequence: cancels the one that acquires, and removes addresses, then exports.</summary>
    private Task LoseRight(string reason)
    {
        bool wasAcquired;
        lock (_gate)
        {
            wasAcquired = _isAcquired;
            _isAcquired = false;
        }

        CancellationTokenSource right = _right;
        return Task.Run(async () =>
        {
            await right.CancelAsync();
            Task removed = _addresses.Release();
            // Addresses go first; but one that sticks must not keep clients on a volume that fails every request.
            await Task.WhenAny(removed, Task.Delay(s_removalWait));
            await _exports.Close();
            await removed;
            if (!wasAcquired)
            {
                return;
            }

            _raise("right-lost", $"Resource {_resource} is no longer served by this node: {reason}.");
            await InTurn(async () =>
            {
                // What the hooks stop can't use the device any more; they run so that it is stopped at all.
                await RunHooks(HookStep.PreRelease, Role.Standby, _stopping.Token);
                await RunHooks(HookStep.PostRelease, Role.Standby, _stopping.Token);
                return true;
            });
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
