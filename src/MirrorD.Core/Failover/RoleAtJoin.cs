using MirrorD.Core.Handshake;

namespace MirrorD.Core.Failover;

/// <summary>
/// Whose role it is when two nodes join and neither is Primary (safety contract, section 5).
/// </summary>
public static class RoleAtJoin
{
    /// <summary>
    /// Both sides evaluate it on the same facts: at most one says yes. First the one that was Primary when
    /// its daemon ended (it was serving a moment ago), then the preferred one, then the one that was promoted
    /// later; else an operator decides.
    /// </summary>
    /// <param name="self">Facts of this side's handshake.</param>
    /// <param name="peer">Facts of the peer.</param>
    /// <param name="isPreferred">preferred-primary: this node, the peer, or none named.</param>
    public static bool IsOurs(HandshakeFacts self, HandshakeFacts peer, bool? isPreferred)
    {
        if (self.IsPrimary || peer.IsPrimary)
        {
            return false;
        }

        return self.IsCrashedPrimary != peer.IsCrashedPrimary ? self.IsCrashedPrimary
            : isPreferred ?? self.Promotions > peer.Promotions;
    }
}
