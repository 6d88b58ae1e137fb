using MirrorD.Formats;
using MirrorD.Formats.Peer;

namespace MirrorD.Engine.Link;

/// <summary>A connection to the peer that nobody else can be at the other end of.</summary>
/// <param name="Stream">Its bytes; whoever gets this closes and disposes it.</param>
/// <param name="Keys">What both sides have derived for it.</param>
/// <param name="Version">Of the protocol: the highest one that both speak.</param>
/// <param name="Peer">The node at the other end.</param>
internal sealed record AuthenticatedLink(LinkStream Stream, LinkKeys Keys, ushort Version, NodeId Peer);
