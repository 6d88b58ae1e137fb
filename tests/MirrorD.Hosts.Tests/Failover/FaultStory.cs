using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>A few faults of networks, hosts, processes and the arbiter, drawn from a seed.</summary>
internal sealed class FaultStory
{
    private readonly Lab.Lab _lab;
    private readonly Pair _pair;
    private readonly HashSet<Node> _isDown = [];
    private readonly HashSet<Node> _standsStill = [];
    private bool _isCut;
    private readonly List<(string Name, Action Happen, double SecondsAfter)> _steps = [];

    /// <summary>Draws a story.</summary>
    public FaultStory(int seed, Lab.Lab lab, Pair pair)
    {
        _lab = lab;
        _pair = pair;
        var random = new Random(seed);
        double deadAfter = pair.Options.DeadAfter!.Value.TotalSeconds;
        double[] pauses = [0, 0.2 * deadAfter, 0.6 * deadAfter, 1.3 * deadAfter, 3 * deadAfter];
        int count = random.Next(2, 6);
        for (int step = 0; step < count; step++)
        {
            (string name, Action happen) = Draw(random);
            _steps.Add((name, happen, pauses[random.Next(pauses.Length)]));
        }
    }

    /// <summary>The faults in order, each with the seconds until the next.</summary>
    public IReadOnlyList<(string Name, Action Happen, double SecondsAfter)> Steps => _steps;

    /// <inheritdoc/>
    public override string ToString() =>
        string.Join("; ", _steps.Select(step => $"{step.Name}, {step.SecondsAfter:0.0} s"));

    // Only what changes something: a story counts the states that it leads to.
    private (string Name, Action Happen) Draw(Random random)
    {
        while (true)
        {
            Node node = random.Next(2) == 0 ? _pair.A : _pair.B;
            int fault = random.Next(17);
            bool isPossible = fault switch
            {
                9 => _isCut,
                10 or 12 or 13 => !_isDown.Contains(node),
                11 => _isDown.Contains(node),
                14 => !_isDown.Contains(node) && !_standsStill.Contains(node),
                15 => _standsStill.Contains(node),
                _ => true,
            };
            if (isPossible)
            {
                return Draw(fault, node);
            }
        }
    }

    private (string Name, Action Happen) Draw(int fault, Node node)
    {
        Node other = _pair.Other(node);
        Host host = node.Host;
        string name = node.Name;
        _isCut = fault < 9 || (fault != 9 && _isCut);
        switch (fault)
        {
            case 10 or 12 or 13:
                _isDown.Add(node);
                _standsStill.Remove(node);
                break;
            case 11:
                _isDown.Remove(node);
                break;
            case 14:
                _standsStill.Add(node);
                break;
            case 15:
                _standsStill.Remove(node);
                break;
        }

        return fault switch
        {
            0 => ($"dedicated down at {name}", () => _lab.Link.CutAt(host)),
            1 => ("dedicated silent", _lab.Link.CutSilently),
            2 => ($"dedicated silent towards {name}", () => _lab.Link.CutSilentlyTowards(host)),
            3 => ($"production unplugged at {name}", () => _lab.Production.Unplug(host)),
            4 => ($"production silent at {name}", () => _lab.Production.CutSilently(host)),
            5 => ($"production silent towards {name}", () => _lab.Production.CutSilentlyTowards(host)),
            6 => ($"production silent from {name}", () => _lab.Production.CutSilentlyFrom(host)),
            7 => ("both networks cut between the nodes", _lab.PartNodes),
            8 => ($"{name} cut off from everything but the arbiter", () => _lab.Isolate(host)),
            9 => ("networks mended, the arbiter as well", Mend),
            10 => ($"power cut of {name}", node.LoseHost),
            11 => ($"{name} starts again", node.Start),
            12 => ($"daemon of {name} killed", () => node.Daemon.Kill()),
            13 => ($"daemon of {name} killed, and its addresses removed", () =>
            {
                node.Daemon.Kill();
                node.RunReleaseHelper();
            }),
            14 => ($"daemon of {name} stands still", () => node.Daemon.Send(Signals.Stop)),
            15 => ($"daemon of {name} goes on", () => node.Daemon.Send(Signals.Continue)),
            _ => ("arbiter gone", () =>
            {
                node.LoseArbiter();
                other.LoseArbiter();
            }),
        };
    }

    private void Mend()
    {
        _lab.MendNetworks();
        foreach (Node node in (Node[])[_pair.A, _pair.B])
        {
            node.FindArbiter();
        }
    }
}
