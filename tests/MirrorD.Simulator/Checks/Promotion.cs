using MirrorD.Engine.Control;

namespace MirrorD.Simulator.Checks;

/// <summary>The circumstances in which a node stored that it is Primary.</summary>
/// <param name="WasConnected">To its peer, as it said last.</param>
/// <param name="WasItsRole">It had stored before that it is Primary.</param>
/// <param name="Command">The operator's command that ran; null when none did.</param>
/// <param name="AtNs">World time.</param>
/// <param name="PeerCouldBeLostAtNs">See <see cref="WorldTruth.CouldCallLostAtNs"/>.</param>
public sealed record Promotion(
    bool WasConnected, bool WasItsRole, ResourceCommand? Command, long AtNs, long PeerCouldBeLostAtNs);
