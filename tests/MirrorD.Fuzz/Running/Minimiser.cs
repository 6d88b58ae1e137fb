namespace MirrorD.Fuzz.Running;

/// <summary>Makes inputs small, and corpora few.</summary>
public static class Minimiser
{
    private const int MostRuns = 20_000;

    /// <summary>The shortest input found that fails in the same way: pieces left out, bytes set to zero.</summary>
    public static byte[] Shrink(FuzzTarget target, Execution execution, byte[] input, Failure failure)
    {
        long end = execution.Count + MostRuns;
        bool Fails(byte[] tried, out byte[] failing)
        {
            failing = tried;
            if (execution.Run(tried)?.Kind == failure.Kind)
            {
                return true;
            }

            failing = target.FixUp((byte[])tried.Clone());
            return failing.Length <= tried.Length && execution.Run(failing)?.Kind == failure.Kind;
        }

        for (int piece = Math.Max(1, input.Length / 2); piece > 0; piece /= 2)
        {
            for (int at = 0; at + piece <= input.Length && execution.Count < end;)
            {
                byte[] without = [.. input.AsSpan(0, at), .. input.AsSpan(at + piece)];
                if (Fails(without, out byte[] shorter) && shorter.Length < input.Length)
                {
                    input = shorter;
                }
                else
                {
                    at += piece;
                }
            }
        }

        for (int at = 0; at < input.Length && execution.Count < end; at++)
        {
            if (input[at] != 0)
            {
                byte[] zeroed = (byte[])input.Clone();
                zeroed[at] = 0;
                input = execution.Run(zeroed)?.Kind == failure.Kind ? zeroed : input;
            }
        }

        return input;
    }

    /// <summary>Few inputs that take all edges that all of them take: short ones first, each for what it adds.</summary>
    public static List<byte[]> Distil(Execution fresh, IEnumerable<byte[]> inputs)
    {
        var few = new List<byte[]>();
        foreach (byte[] input in inputs.OrderBy(each => each.Length))
        {
            if (fresh.Run(input) is null && fresh.Learn())
            {
                few.Add(input);
            }
        }

        return few;
    }
}
