namespace MirrorD.Fuzz.Mutation;

/// <summary>Numbers at which code decides: around zero, around powers of two, at the ends of the integer types.</summary>
internal static class InterestingValues
{
    private static readonly ulong[] s_values = [.. Make().Distinct()];

    public static ulong Any(Draw draw) => s_values[draw.Below(s_values.Length)];

    private static IEnumerable<ulong> Make()
    {
        for (ulong small = 0; small <= 40; small++)
        {
            yield return small;
            yield return 0 - small;
        }

        for (int power = 5; power < 64; power++)
        {
            yield return (1UL << power) - 1;
            yield return 1UL << power;
            yield return (1UL << power) + 1;
        }
    }
}
