using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator;

/// <summary>
/// Create-if-absent of a key per session; slow, sometimes unreachable, sometimes its answer is lost.
/// </summary>
public sealed class SimulatedArbiter(SimulatedWorld world)
{
    private readonly Dictionary<(string Resource, SessionId Session), NodeId> _keys = [];

    /// <summary>Nodes that can't reach it now.</summary>
    public HashSet<string> CutOff { get; } = [];

    /// <summary>Whether something goes wrong at all.</summary>
    public bool IsReliable { get; set; }

    /// <summary>Asks from a node; the answer comes through the callback, later.</summary>
    public void Claim(
        string from, string resource, SessionId session, NodeId node, Action<ArbiterAnswer> answered)
    {
        bool unreachable = !IsReliable && (CutOff.Contains(from) || world.Random.Percent(10));
        bool lostAnswer = !IsReliable && world.Random.Percent(10);
        world.Schedule(world.Random.Between(100_000, 30_000_000), () =>
        {
            if (unreachable)
            {
                long givesUpNs = world.Random.Between(10_000_000, 500_000_000);
                world.Schedule(givesUpNs, () => answered(ArbiterAnswer.Unreachable));
                return;
            }

            _keys.TryAdd((resource, session), node);
            ArbiterAnswer answer = lostAnswer ? ArbiterAnswer.Unreachable
                : _keys[(resource, session)] == node ? ArbiterAnswer.Granted : ArbiterAnswer.Refused;
            world.Trace?.Invoke($"arbiter: {from} claims session {session}: {answer}");
            world.Schedule(world.Random.Between(100_000, 30_000_000), () => answered(answer));
        });
    }
}
