using MirrorD.Engine.Latency;

namespace MirrorD.Engine.Nbd;

/// <summary>Loop times in nanoseconds of a request whose reply is being sent.</summary>
/// <param name="Operation">What it was.</param>
/// <param name="ReceivedNs">It was here.</param>
/// <param name="DecidedNs">The volume was done with it.</param>
internal readonly record struct ReplyTimes(LatencyOperation Operation, long ReceivedNs, long DecidedNs);
