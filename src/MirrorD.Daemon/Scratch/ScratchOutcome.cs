namespace MirrorD.Daemon.Scratch;

/// <summary>How a run on a scratch volume ended.</summary>
/// <param name="Problem">What is wrong, without full stop; null when nothing is.</param>
/// <param name="Time">What it took.</param>
internal sealed record ScratchOutcome(string? Problem, TimeSpan Time);
