namespace MirrorD.Api;

/// <summary>Values of <see cref="StageTimesReport.Operation"/>.</summary>
public static class LoadOperation
{
    /// <summary>Writes, zeroes and discards.</summary>
    public const string Write = "write";

    /// <summary>Reads.</summary>
    public const string Read = "read";

    /// <summary>Flushes.</summary>
    public const string Flush = "flush";
}
