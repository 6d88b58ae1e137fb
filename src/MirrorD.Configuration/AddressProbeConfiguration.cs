namespace MirrorD.Configuration;

/// <summary>How a node asks, before it takes a service address, whether somebody else has it.</summary>
/// <param name="Count">Number of questions; 0 asks nobody.</param>
/// <param name="IntervalMs">Between two questions, in milliseconds.</param>
public sealed record AddressProbeConfiguration(int Count = 3, int IntervalMs = 100);
