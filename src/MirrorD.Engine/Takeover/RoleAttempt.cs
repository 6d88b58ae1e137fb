using MirrorD.Engine.Control;

namespace MirrorD.Engine.Takeover;

/// <summary>One change of role under way: what it is for, whom it answers, and its phases so far.</summary>
/// <param name="kind">What it is.</param>
/// <param name="reason">Why, without full stop.</param>
/// <param name="ended">Gets the outcome.</param>
internal sealed class RoleAttempt(RoleRecordKind kind, string reason, Action<CommandOutcome> ended)
{
    private readonly List<RolePhase> _phases = [];
    private string? _phase;
    private long _phaseStartNs;

    public RoleRecordKind Kind => kind;

    public string Reason => reason;

    public Action<CommandOutcome> Ended => ended;

    /// <summary>Nobody asked for it.</summary>
    public bool IsAutomatic { get; init; }

    /// <summary>Number of losses when it began: one more, and it may acquire nothing.</summary>
    public long Losses { get; set; }

    /// <summary>Loop time of the first sign of what led to it.</summary>
    public long StartNs => _phases.Count > 0 ? _phases[0].StartNs : _phaseStartNs;

    /// <summary>Ends the phase that runs and begins one.</summary>
    public void Begin(string phase, long nowNs)
    {
        EndPhase(nowNs);
        (_phase, _phaseStartNs) = (phase, nowNs);
    }

    /// <summary>The record, whose last phase ends now.</summary>
    public RoleRecord Record(bool succeeded, string text, long nowNs)
    {
        EndPhase(nowNs);
        return new RoleRecord(kind, text, succeeded, [.. _phases]);
    }

    private void EndPhase(long nowNs)
    {
        if (_phase is not null)
        {
            _phases.Add(new RolePhase(_phase, _phaseStartNs, nowNs - _phaseStartNs));
            _phase = null;
        }
    }
}
