using MirrorD.Engine.Control;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>
/// What is looked at as time passes. While anything is under way there is a tick each 100 ms, and deadlines count them.
/// At rest they are rarer, but for one that is due when the link has been silent for too long; whatever begins has the
/// next one come within 100 ms.
/// </summary>
public sealed partial class ReplicatedResource
{
    private const long TickNs = 100_000_000;
    private const long LongestRestNs = 1_000_000_000;
    private const long TrimNs = 30_000_000_000;

    private readonly IoOperation _tick;
    private readonly long _restNs;
    private long _nextTickNs;
    private long _nextTrimNs;
    private bool _rests;

    /// <summary>Nothing waits for a tick but the link.</summary>
    private bool IsAtRest => _replica is { IsAtRest: true } && _connection is { IsClosing: false } && _next is null
        && _roles.Step is null && !_isAttaching && !_isStopped && _deadlines is not { IsIdle: false };

    /// <summary>
    /// A quarter of the time after which a silent peer is lost, or this loop counts as stuck: it is taken for neither.
    /// </summary>
    private static long RestNs(ResourceOptions options) => Math.Clamp(
        Math.Min(options.LinkTimeoutMs, options.DeadAfterMs) * 1_000_000L / 4, TickNs, LongestRestNs);

    private void Ticked(IoOperation operation)
    {
        if (operation.Result < 0)
        {
            StartTick(TickNs);
            return;
        }

        _rests = false;
        Volatile.Write(ref _lastTickNs, _loop.NowNs);
        if (_isStopped && _connection is null)
        {
            // No tick follows: that is no stuck loop, though the hooks of the stop may still run.
            Volatile.Write(ref _lastTickNs, 0);
            return;
        }

        long pauseNs = IsAtRest ? _restNs : TickNs;
        _deadlines?.Tick();
        if (_replica!.Failure is not null && !_isAttaching)
        {
            // For good: each attempt to join would hold up the peer's requests for nothing.
            _link.Stop();
        }

        _link.Tick();
        _connection?.Tick(LinkTimeoutNs, pauseNs - TickNs);
        _replica.Tick();
        NoteProgress();
        TrimSlots();
        StartTick(IsAtRest ? pauseNs : TickNs);
        AfterEvent();
    }

    private long LinkTimeoutNs => _options.LinkTimeoutMs * 1_000_000L;

    private void StartTick(long pauseNs)
    {
        _nextTickNs = _loop.NowNs + pauseNs;
        if (pauseNs > TickNs)
        {
            _rests = true;
            _nextTickNs = Math.Min(_nextTickNs, _connection!.LastReceivedNs + LinkTimeoutNs + 1);
        }

        _loop.StartTimer(_nextTickNs, _tick);
    }

    private void TrimSlots()
    {
        if (_loop.NowNs >= _nextTrimNs)
        {
            _nextTrimNs = _loop.NowNs + TrimNs;
            Buffers.Trim();
            _copyBuffers.Trim();
        }
    }

    /// <summary>Something begins that may count ticks.</summary>
    private void EndRest()
    {
        if (_rests)
        {
            _rests = false;
            if (_nextTickNs - _loop.NowNs > TickNs)
            {
                _loop.CancelTimer(_tick);
            }
        }
    }
}
