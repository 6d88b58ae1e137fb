namespace MirrorD.Core.Handshake;

/// <summary>
/// One row of the handshake table. Rows are tried in order and the first whose condition holds decides;
/// action and direction are then subject to the rules below the table (<see cref="HandshakeTable.Decide"/>).
/// </summary>
/// <param name="Case">Its name.</param>
/// <param name="Condition">When it holds, for a reader.</param>
/// <param name="Holds">When it holds.</param>
/// <param name="Action">What happens; for S = P rows the sync set makes a bitmap sync out of no sync.</param>
/// <param name="SelfIs">This side's part.</param>
public sealed record HandshakeRow(
    HandshakeCase Case,
    string Condition,
    Func<HandshakePair, bool> Holds,
    Func<HandshakePair, HandshakeAction> Action,
    Func<HandshakePair, HandshakePart> SelfIs);
