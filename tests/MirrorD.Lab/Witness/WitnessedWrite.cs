namespace MirrorD.Lab.Witness;

/// <summary>A write that a node acknowledged. Times are of the one clock of this process (Stopwatch).</summary>
/// <param name="Node">Name of the node that it went through.</param>
/// <param name="Sequence">Number of the write, in the order of sending.</param>
/// <param name="SentAt">When it was sent.</param>
/// <param name="AnsweredAt">When the reply had arrived.</param>
public readonly record struct WitnessedWrite(string Node, long Sequence, long SentAt, long AnsweredAt);
