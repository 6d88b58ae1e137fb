using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Link;

/// <summary>
/// Security whose handshakes take steps (<see cref="SteppedHandshake"/>), and hold them where a test wants it.
/// </summary>
/// <param name="loop">The loop that is told of their ends.</param>
/// <param name="secret">What both ends have afterwards.</param>
internal sealed class SteppedSecurity(IIoLoop loop, byte[] secret) : ILinkSecurity
{
    /// <summary>The loop.</summary>
    public IIoLoop Loop => loop;

    /// <summary>What both ends have afterwards.</summary>
    public byte[] Secret => secret;

    /// <summary>Whether a step that begins waits for <see cref="SteppedHandshake.EndStep"/>; else it ends at once.</summary>
    public Func<SteppedHandshake, bool> Holds { get; set; } = _ => false;

    /// <summary>All handshakes, in the order of their begin.</summary>
    public List<SteppedHandshake> Begun { get; } = [];

    public ILinkHandshake Begin(bool isConnector)
    {
        var begun = new SteppedHandshake(this, isConnector);
        Begun.Add(begun);
        return begun;
    }
}
