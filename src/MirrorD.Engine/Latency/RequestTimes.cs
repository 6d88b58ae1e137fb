namespace MirrorD.Engine.Latency;

/// <summary>Loop times in nanoseconds of a request on its way; 0 where it has not been, or nobody noted it.</summary>
internal struct RequestTimes
{
    /// <summary>The receive that completed it has ended.</summary>
    public long ReceivedNs;

    /// <summary>The replica has it, and does not hold it.</summary>
    public long HandedNs;

    /// <summary>It may begin.</summary>
    public long IssuedNs;

    /// <summary>The replica is done with it.</summary>
    public long DecidedNs;
}
