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

    /// <summary>Few inputs that take the edges that all of them take: short ones first, each for what it adds.</summary>
    /// <param name="fresh">Knows what need not be taken again.</param>
    /// <param name="inputs">All of them.</param>
    /// <param name="mostBytes">Bytes of all that are chosen; what would be more is left out.</param>
    /// <param name="mostInputBytes">Bytes of one.</param>
    public static List<byte[]> Distil(Execution fresh, IEnumerable<byte[]> inputs, int mostBytes, int mostInputBytes)
    {
        var few = new List<byte[]>();
        int bytes = 0;
        foreach (byte[] input in inputs.Where(each => each.Length <= mostInputBytes).OrderBy(each => each.Length))
        {
            if (bytes + input.Length <= mostBytes && fresh.Run(input) is null && fresh.Learn())
            {
                few.Add(input);
                bytes += input.Length;
            }
        }

        return few;
    }
}
