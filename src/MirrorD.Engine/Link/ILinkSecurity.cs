namespace MirrorD.Engine.Link;

/// <summary>How connections to the peer become authentic, and secret where that is wanted.</summary>
public interface ILinkSecurity
{
    /// <summary>Begins on a new connection. On the loop's thread.</summary>
    /// <param name="isConnector">This side made the connection.</param>
    ILinkHandshake Begin(bool isConnector);
}
