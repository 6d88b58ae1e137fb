using MirrorD.Daemon.Events;
using MirrorD.Daemon.Logging;
using MirrorD.Daemon.Takeover;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Resources;

/// <summary>What the engine tells, on the loop's thread: noted and passed on at once.</summary>
internal sealed partial class RunningResource
{
    // The peer's hooks may take their time before it hands over; after this the operator gets an answer.
    private static readonly TimeSpan s_handOverWait = TimeSpan.FromMinutes(2);

    void IResourceOwner.RoleChanged(Role role, string reason)
    {
        _role = role;
        Watch(_sequence.RoleChanged(role, reason));
    }

    void IResourceOwner.PeerRequestsRole() => Watch(_sequence.PeerRequestsRole());

    // Nothing keeps records yet.
    void IResourceOwner.RoleRecorded(RoleRecord record)
    {
    }

    void IResourceOwner.Trouble(Exception failed) => ResourceLog.SequenceFailed(_logger, Name, failed);

    void IResourceOwner.Published(ResourceStatus status)
    {
        _status = status;
        _role = status.Role;
        _changes.Changed();
    }

    void IResourceOwner.Raised(ResourceEvent happened)
    {
        _linkProblem = happened.Kind switch
        {
            "link-problem" => happened.Message,
            "handshake" => null,
            _ => _linkProblem,
        };
        RaiseEvent(happened.Kind, happened.Message);
    }

    private void RaiseEvent(string kind, string message)
    {
        ResourceLog.Happened(_logger, EventClasses.LevelOf(kind), Name, _role.ToString(), kind, message);
        _events.Add(Name, kind, message);
        _changes.Changed();
    }

    private void Watch(Task steps) => steps.ContinueWith(
        failed => ResourceLog.SequenceFailed(_logger, Name, failed.Exception!),
        CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private async Task<CommandOutcome> WithinHandOverTime(Task<CommandOutcome> handOver)
    {
        if (await Task.WhenAny(handOver, Task.Delay(s_handOverWait)) == handOver)
        {
            return await handOver;
        }

        // Should the peer hand over later all the same, the role is taken up as if it had started that
        // itself.
        Watch(handOver.ContinueWith(
            late => late.Result.Succeeded
                ? _sequence.RoleChanged(Role.Primary, "the peer handed over late")
                : Task.CompletedTask,
            TaskScheduler.Default).Unwrap());
        return new CommandOutcome(
            false, $"the peer did not hand over within {s_handOverWait.TotalSeconds} s",
            $"see 'mirrorctl events' on {_resource.PeerOf(_context.Name)}");
    }

    /// <summary>
    /// The exports exist only after the engine has loaded; until then there is nothing to open or close.
    /// </summary>
    private sealed class ExportsOnceStarted(RunningResource owner) : IExports
    {
        public Task Open() => owner._exports?.Open() ?? Task.CompletedTask;

        public Task Close() => owner._exports?.Close() ?? Task.CompletedTask;
    }
}
