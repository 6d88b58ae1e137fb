using System.Diagnostics;
using MirrorD.Core;
using MirrorD.Simulator.Checks;

namespace MirrorD.Simulator.PowerCuts;

/// <summary>
/// Plays <see cref="PowerCutStory"/> once to its end, and then again and again with the power cut after its first event,
/// after its second one, and so on to its last: for each node and for both. Each time the pair has to come back: joined, one
/// Primary, all bytes equal, all checks on.
/// </summary>
public static class EveryPowerCut
{
    private const long Millisecond = 1_000_000;

    /// <summary>
    /// How long a node is without power, by turns: back before it is missed, after its peer has gone on, after its peer has
    /// taken over.
    /// </summary>
    private static readonly long[] s_offNs = [30 * Millisecond, 600 * Millisecond, 2500 * Millisecond];

    /// <summary>The story without any power cut.</summary>
    /// <param name="FirstStep">The first event after the disks were prepared.</param>
    /// <param name="LastStep">Its last event.</param>
    /// <param name="Phases">Of each phase its name, its first event, and the mutations of disks that were submitted in it.</param>
    public sealed record Course(long FirstStep, long LastStep, IReadOnlyList<(string Name, long FirstStep, int Mutations)> Phases);

    /// <summary>What came of one power cut; the failure is null when no rule was broken.</summary>
    public sealed record Outcome(long Step, PowerCutVictim Victim, int Phase, Exception? Failure);

    /// <summary>Plays the story to its end.</summary>
    public static Course Measure()
    {
        using var story = new PowerCutStory();
        string[] names = [.. story.Names];
        long[] begins = new long[names.Length];
        int[] mutations = new int[names.Length];
        int phase = 0;
        foreach (VolumeCopy copy in story.Pair.Nodes.SelectMany(node => node.Copies))
        {
            copy.Data.Submitted += (_, _) => mutations[phase]++;
        }

        long first = story.Pair.World.Steps;
        story.Play(long.MaxValue, reached =>
        {
            phase = reached;
            begins[reached] = story.Pair.World.Steps;
        });
        return new Course(
            first, story.Pair.World.Steps, [.. names.Select((name, i) => (name, begins[i], mutations[i]))]);
    }

    /// <summary>Plays the story up to an event, cuts the power there, and lets the pair come back.</summary>
    public static Outcome Cut(long step, PowerCutVictim victim, Action<string>? trace = null)
    {
        int phase = 0;
        PowerCutStory? story = null;
        try
        {
            story = new PowerCutStory(trace);
            phase = story.Play(step);
            story.Pair.Recover(victim switch
            {
                PowerCutVictim.A => [story.Pair.Nodes[0]],
                PowerCutVictim.B => [story.Pair.Nodes[1]],
                _ => story.Pair.Nodes,
            }, s_offNs[step % s_offNs.Length]);
            return new Outcome(step, victim, phase, null);
        }
        catch (Exception failure)
        {
            // What the engine throws would end its process: a finding too.
            story?.Pair.Note($"FAILED {failure.Message}");
            return new Outcome(step, victim, phase, failure);
        }
        finally
        {
            story?.Dispose();
        }
    }

    /// <summary>Each so many-th event of the course; each victim begins elsewhere. In the order of events.</summary>
    /// <param name="course">The course.</param>
    /// <param name="every">1: all of them.</param>
    public static IEnumerable<(long Step, PowerCutVictim Victim)> Choose(Course course, int every)
    {
        for (long step = course.FirstStep; step <= course.LastStep; step++)
        {
            foreach (PowerCutVictim victim in Enum.GetValues<PowerCutVictim>())
            {
                if ((step + (int)victim * (every / 3)) % every == 0)
                {
                    yield return (step, victim);
                }
            }
        }
    }

    /// <summary>Cuts at all of these, on all processors, until one fails.</summary>
    public static IReadOnlyList<Outcome> CutAll(IEnumerable<(long Step, PowerCutVictim Victim)> chosen)
    {
        (long Step, PowerCutVictim Victim)[] all = [.. chosen];
        var outcomes = new Outcome?[all.Length];
        int next = -1;
        bool hasFailed = false;
        Thread[] workers = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(Work))];
        Array.ForEach(workers, worker => worker.Start());
        Array.ForEach(workers, worker => worker.Join());
        return [.. outcomes.OfType<Outcome>()];

        void Work()
        {
            for (int i; !Volatile.Read(ref hasFailed) && (i = Interlocked.Increment(ref next)) < all.Length;)
            {
                outcomes[i] = Cut(all[i].Step, all[i].Victim);
                if (outcomes[i]!.Failure is not null)
                {
                    Volatile.Write(ref hasFailed, true);
                }
            }
        }
    }

    /// <summary>Cuts and reports; 0 when no rule was broken.</summary>
    public static int Run(int every, string? rule)
    {
        long startedAt = Stopwatch.GetTimestamp();
        Course course = Measure();
        Canaries.Break(rule is null ? BrokenRule.None : Enum.Parse<BrokenRule>(rule));
        if (rule is not null)
        {
            // What is noticed without any power cut says nothing about power cuts: it ends here.
            Measure();
        }

        IReadOnlyList<Outcome> outcomes = CutAll(Choose(course, every));
        for (int i = 0; i < course.Phases.Count; i++)
        {
            (string name, long first, int mutations) = course.Phases[i];
            long end = i + 1 < course.Phases.Count ? course.Phases[i + 1].FirstStep : course.LastStep + 1;
            Console.WriteLine($"  {name,-24} {end - first,6} events, {mutations,5} mutations of disks, "
                + $"{outcomes.Count(outcome => outcome.Step >= first && outcome.Step < end),6} power cuts");
        }

        Console.WriteLine($"{outcomes.Count} power cuts at {course.LastStep - course.FirstStep + 1} events in "
            + $"{Stopwatch.GetElapsedTime(startedAt).TotalSeconds:0.0} s");
        if (outcomes.FirstOrDefault(outcome => outcome.Failure is not null) is { } failed)
        {
            Console.WriteLine($"a power cut of {failed.Victim} after event {failed.Step} "
                + $"({course.Phases[failed.Phase].Name}): {failed.Failure!.Message}");
            Console.WriteLine($"tests/simulator cuts --at {failed.Step} --victim {failed.Victim}");
            return 1;
        }

        Console.WriteLine("no rule was broken");
        return 0;
    }

    /// <summary>One power cut with a full trace; 0 when no rule was broken.</summary>
    public static int Replay(long step, PowerCutVictim victim, string? rule)
    {
        Canaries.Break(rule is null ? BrokenRule.None : Enum.Parse<BrokenRule>(rule));
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        Outcome outcome = Cut(step, victim, output.WriteLine);
        output.WriteLine(outcome.Failure is null ? "no rule was broken" : outcome.Failure.ToString());
        return outcome.Failure is null ? 0 : 1;
    }
}
