using MirrorD.Daemon.Events;
using MirrorD.Daemon.Logging;
using MirrorD.Daemon.Reports;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Resources;

/// <summary>What the engine tells, on the loop's thread: noted and passed on at once.</summary>
internal sealed partial class RunningResource
{
    void IResourceOwner.RoleRecorded(RoleRecord record) =>
        _history.Add(ReportBuilder.Record(record, Name, _context.Name, _loop!.NowNs, DateTimeOffset.UtcNow));

    void IResourceOwner.Trouble(Exception failed) => ResourceLog.SequenceFailed(_logger, Name, failed);

    void IResourceOwner.Published(ResourceStatus status)
    {
        _status = status;
        if (status.Link is not (LinkState.Disconnected or LinkState.Authenticating or LinkState.Refused))
        {
            // A handshake that leads to what is known already is no event.
            _linkProblem = null;
        }

        KeepVerify(status);
        _changes.Changed();
    }

    private void KeepVerify(ResourceStatus status)
    {
        if (status.Verify is { EndedNs: { } ended } && ended != _verifyEndedNs)
        {
            _verifyEndedNs = ended;
            DateTimeOffset now = DateTimeOffset.UtcNow;
            long nowNs = _loop!.NowNs;
            _ = _lastVerify.Keep(VerifyReports.Of(
                status, _context.Name, ns => now - TimeSpan.FromTicks((nowNs - ns) / TimeSpan.NanosecondsPerTick))!);
        }
    }

    void IResourceOwner.Raised(ResourceEvent happened)
    {
        _linkProblem = happened.Kind switch
        {
            "link-problem" => happened.Message,
            "handshake" => null,
            _ => _linkProblem,
        };
        RaiseEvent(happened.Kind, happened.Message + SinceOf(happened.Kind));
    }

    /// <summary>The engine knows no times of day.</summary>
    private string SinceOf(string kind) =>
        kind == "split-brain-resolved" && _events.FirstTime(Name, "alone", endedBy: "joined") is { } since
            ? $"; this node was alone since {since:u}" : "";

    private void RaiseEvent(string kind, string message)
    {
        ResourceLog.Happened(_logger, EventClasses.LevelOf(kind), Name, (_status?.Role ?? Role.Standby).ToString(), kind, message);
        _events.Add(Name, kind, message);
        _changes.Changed();
    }
}
