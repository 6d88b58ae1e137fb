namespace MirrorD.Core.Verify;

/// <summary>A range that a verify found to differ, or could not read.</summary>
/// <param name="Volume">Volume number.</param>
/// <param name="Offset">First byte.</param>
/// <param name="LengthBytes">Length in bytes: neighbours with the same outcome are one.</param>
/// <param name="Outcome">What is the matter.</param>
/// <param name="IsRepaired">This node's data has been copied over that of the peer.</param>
public sealed record VerifyFinding(int Volume, long Offset, long LengthBytes, VerifyOutcome Outcome, bool IsRepaired);
