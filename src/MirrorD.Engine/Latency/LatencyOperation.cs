namespace MirrorD.Engine.Latency;

/// <summary>Kinds of requests whose times are kept apart.</summary>
public enum LatencyOperation
{
    /// <summary>Writes, zeroes and discards.</summary>
    Write,
    /// <summary>Reads.</summary>
    Read,
    /// <summary>Flushes.</summary>
    Flush,
}
