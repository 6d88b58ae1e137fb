using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Arbitration;

/// <summary>
/// Claims with a deadline. A network file system may hang for ever, so each claim has a thread of its own; a
/// resource whose last claim still hangs gets "unreachable" at once, so that at most one thread per resource
/// is stuck.
/// </summary>
/// <param name="claim">Carries a claim out; may block.</param>
/// <param name="deadline">When the answer is "unreachable".</param>
internal sealed class ArbiterClaims(Func<string, SessionId, NodeId, ArbiterAnswer> claim, TimeSpan deadline)
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _running = [];

    /// <summary>
    /// Claims; the answer is given exactly once, on some thread, at the latest after the deadline. A grant
    /// that comes later is not lost: the session's key names this node, and the next claim reads it.
    /// </summary>
    public void Claim(string resource, SessionId session, NodeId node, Action<ArbiterAnswer> answered)
    {
        lock (_gate)
        {
            if (!_running.Add(resource))
            {
                ThreadPool.QueueUserWorkItem(_ => answered(ArbiterAnswer.Unreachable));
                return;
            }
        }

        int isAnswered = 0;
        void Answer(ArbiterAnswer answer)
        {
            if (Interlocked.Exchange(ref isAnswered, 1) == 0)
            {
                answered(answer);
            }
        }

        var timer = new Timer(
            _ => Answer(ArbiterAnswer.Unreachable), null, deadline, Timeout.InfiniteTimeSpan);
        var thread = new Thread(() =>
        {
            ArbiterAnswer answer = claim(resource, session, node);
            lock (_gate)
            {
                _running.Remove(resource);
            }

            timer.Dispose();
            Answer(answer);
        })
        {
            IsBackground = true,
            Name = $"arbiter {resource}",
        };
        thread.Start();
    }
}
