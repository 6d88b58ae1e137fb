using MirrorD.Core;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator;

/// <summary>
/// Create-if-absent of a key per session, on a host of the production network; slow, sometimes unreachable,
/// sometimes its answer is lost although the claim was made.
/// </summary>
public sealed class SimulatedArbiter(SimulatedWorld world, Networks networks)
{
    private readonly Dictionary<(string Resource, SessionId Session), NodeId> _keys = [];
    private readonly HashSet<(SessionId Session, NodeId Node)> _granted = [];

    /// <summary>Nodes that can't reach it now.</summary>
    public HashSet<string> CutOff { get; } = [];

    /// <summary>Nodes whose claims are made, and which get no answer.</summary>
    public HashSet<string> AnswersLost { get; } = [];

    /// <summary>Nothing goes wrong by chance any more.</summary>
    public bool IsReliable { get; set; }

    /// <summary>A claim of this node would be made and answered now, but for chance.</summary>
    public bool Answers(string node) => !CutOff.Contains(node) && !AnswersLost.Contains(node)
        && networks.Connects(Networks.Production, node, Networks.Arbiter);

    /// <summary>It has told this node that the session is its.</summary>
    public bool HasGranted(SessionId session, NodeId node) => _granted.Contains((session, node));

    /// <summary>This node has asked for the session first, whether it has heard the answer or not.</summary>
    public bool IsOwner(SessionId session, NodeId node) =>
        _keys.Any(each => each.Key.Session == session && each.Value == node);

    /// <summary>Asks from a node; the answer comes through the callback, later.</summary>
    public void Claim(
        string from, string resource, SessionId session, NodeId node, Action<ArbiterAnswer> answered)
    {
        bool unreachable = !IsReliable && world.Random.Percent(10);
        bool lostAnswer = !IsReliable && world.Random.Percent(10);
        world.Schedule(world.Random.Between(100_000, 30_000_000), () =>
        {
            if (unreachable || CutOff.Contains(from)
                || !networks.Reaches(Networks.Production, from, Networks.Arbiter))
            {
                GiveUp(answered);
                return;
            }

            _keys.TryAdd((resource, session), node);
            bool isOwner = _keys[(resource, session)] == node || Canary.Breaks(BrokenRule.ArbiterGrantsBoth);
            ArbiterAnswer answer = isOwner ? ArbiterAnswer.Granted : ArbiterAnswer.Refused;
            world.Trace?.Invoke($"arbiter: {from} claims session {session}: {answer}");
            if (lostAnswer || AnswersLost.Contains(from)
                || !networks.Reaches(Networks.Production, Networks.Arbiter, from))
            {
                GiveUp(answered);
                return;
            }

            if (isOwner)
            {
                _granted.Add((session, node));
            }

            world.Schedule(world.Random.Between(100_000, 30_000_000), () => answered(answer));
        });
    }

    private void GiveUp(Action<ArbiterAnswer> answered) => world.Schedule(
        world.Random.Between(10_000_000, 500_000_000), () => answered(ArbiterAnswer.Unreachable));
}
