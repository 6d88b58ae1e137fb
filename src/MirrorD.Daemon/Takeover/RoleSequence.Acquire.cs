using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Takeover;

internal sealed partial class RoleSequence
{
    // Set while a command of this daemon takes the role and what stands above it.
    private volatile bool _takes;

    /// <summary>
    /// Hooks, the engine's command that makes this node Primary, and what stands above the role.
    /// </summary>
    private async Task<CommandOutcome> AcquireAround(ResourceCommand command)
    {
        if (IsAcquired)
        {
            // By force a Primary that holds its requests goes on: what stands above the role is in place.
            return command is ResourceCommand.Promote { Force: true }
                ? await During("promoting", () => _engine.Run(command))
                : new CommandOutcome(
                    true,
                    $"Resource {_resource} is Primary here already; " +
                    $"'mirrorctl explain {_resource}' says whether its requests wait, and for what.");
        }

        // From here on a loss of right stops this acquisition. It must be in place before the engine can gain
        // the role, as it may lose it again before its reply is read.
        CancellationToken right = BeginRight();
        if (await RunHooks(HookStep.PreAcquire, Role.Standby, right) is { } failure)
        {
            return new CommandOutcome(
                false, $"nothing was changed: {failure}",
                "make the hook succeed, or remove it from the configuration");
        }

        _takes = true;
        try
        {
            return await Take(command, right);
        }
        finally
        {
            _takes = false;
        }
    }

    private async Task<CommandOutcome> Take(ResourceCommand command, CancellationToken right)
    {
        CommandOutcome outcome = await During("promoting", () => _engine.Run(command));
        if (!outcome.Succeeded)
        {
            // Undoes what the hooks before it prepared.
            await RunHooks(HookStep.PostRelease, Role.Standby, _stopping.Token);
            return outcome;
        }

        IReadOnlyList<string> failures = await AcquireAbove(right);
        return failures.Count == 0
            ? outcome
            : new CommandOutcome(
                false, $"resource {_resource} is Primary, but: {string.Join("; ", failures)}",
                $"see 'mirrorctl status {_resource}' and 'mirrorctl events'");
    }

    /// <summary>The engine has the role already, e.g. handed over by the peer.</summary>
    private async Task AcquireGranted(string reason)
    {
        if (IsAcquired || _engine.Role != Role.Primary)
        {
            return;
        }

        _raise("role-taken", $"This node is Primary now: {reason}.");
        CancellationToken right = BeginRight();
        await RunHooks(HookStep.PreAcquire, Role.Primary, right);
        await AcquireAbove(right);
    }

    private async Task<IReadOnlyList<string>> AcquireAbove(CancellationToken right)
    {
        await During("waiting for the release after a lost right", () => LastLoss);
        lock (_gate)
        {
            if (right.IsCancellationRequested)
            {
                return ["the role was lost again at once"];
            }

            _isAcquired = true;
        }

        var failures = new List<string>();
        await During("opening the exports", _exports.Open);
        IReadOnlyList<string> addressFailures = await During(
            "adding the addresses", () => _addresses.Acquire(right));
        foreach (string failure in addressFailures)
        {
            _raise("address-failed", failure);
            failures.Add(failure.TrimEnd('.'));
        }

        if (await RunHooks(HookStep.PostAcquire, Role.Primary, right) is { } hookFailure)
        {
            failures.Add(hookFailure);
        }

        if (right.IsCancellationRequested)
        {
            // The loss closed what was open at its time; what was opened since then is closed here.
            await ReleaseAbove();
            return ["the role was lost again meanwhile"];
        }

        _raise("acquired", $"Resource {_resource} is served by this node.");
        return failures;
    }

    private bool IsAcquired
    {
        get
        {
            lock (_gate)
            {
                return _isAcquired;
            }
        }
    }

    private Task LastLoss
    {
        get
        {
            lock (_gate)
            {
                return _losing;
            }
        }
    }

    private CancellationToken BeginRight()
    {
        lock (_gate)
        {
            _right = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            return _right.Token;
        }
    }
}
