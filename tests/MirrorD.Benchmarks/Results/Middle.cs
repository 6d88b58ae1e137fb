namespace MirrorD.Benchmarks.Results;

/// <summary>The middle of what was measured.</summary>
internal static class Middle
{
    /// <summary>The value in the middle, or between the two that are.</summary>
    /// <param name="values">At least one, in any order.</param>
    public static double Median(this IEnumerable<double> values)
    {
        double[] ordered = [.. values.Order()];
        return (ordered[(ordered.Length - 1) / 2] + ordered[ordered.Length / 2]) / 2;
    }
}
