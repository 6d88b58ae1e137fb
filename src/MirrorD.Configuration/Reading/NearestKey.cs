namespace MirrorD.Configuration.Reading;

/// <summary>Finds what was probably meant by a mistyped key, by edit distance.</summary>
public static class NearestKey
{
    /// <summary>"did you mean 'x'?" or the list of what is known.</summary>
    public static string Advice(string written, IReadOnlyCollection<string> known, string whatKnown)
    {
        string? nearest = Find(written, known);
        return nearest is not null
            ? $"did you mean '{nearest}'?"
            : known.Count == 0 ? $"there are no {whatKnown}" : $"the {whatKnown} are " +
                $"{string.Join(", ", known)}";
    }

    /// <summary>The known word nearest to what was written; null when none is near.</summary>
    public static string? Find(string written, IEnumerable<string> known)
    {
        int allowed = Math.Max(1, written.Length / 3);
        return known
            .Select(word => (Word: word, Distance: Distance(written, word)))
            .Where(candidate => candidate.Distance <= allowed)
            .OrderBy(candidate => candidate.Distance)
            .Select(candidate => candidate.Word)
            .FirstOrDefault();
    }

    /// <summary>
    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    /// </summary>
    internal static int Distance(string a, string b)
    {
        int[,] cost = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            cost[i, 0] = i;
        }

        for (int j = 0; j <= b.Length; j++)
        {
            cost[0, j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int replace = cost[i - 1, j - 1] + (SameLetter(a[i - 1], b[j - 1]) ? 0 : 1);
                int best = Math.Min(replace, Math.Min(cost[i - 1, j] + 1, cost[i, j - 1] + 1));
                if (i > 1 && j > 1 && SameLetter(a[i - 1], b[j - 2]) && SameLetter(a[i - 2], b[j - 1]))
                {
                    best = Math.Min(best, cost[i - 2, j - 2] + 1);
                }

                cost[i, j] = best;
            }
        }

        return cost[a.Length, b.Length];
    }

    // '_' for '-' and capitals are the commonest slips and count as nothing.
    private static bool SameLetter(char a, char b) =>
        char.ToLowerInvariant(a == '_' ? '-' : a) == char.ToLowerInvariant(b == '_' ? '-' : b);
}
