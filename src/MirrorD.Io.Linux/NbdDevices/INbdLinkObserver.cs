namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>Told by a <see cref="NbdLinkWatch"/> on its thread; must return soon and not throw.</summary>
public interface INbdLinkObserver
{
    /// <summary>
    /// The kernel has found the socket of a device dead: from now on it takes another one. Not told for a
    /// device that is being disconnected.
    /// </summary>
    void LinkDead(int index);

    /// <summary>Something was told that is lost: any link may have died.</summary>
    void LinksUnknown();

    /// <summary>The watch has ended by itself.</summary>
    void WatchFailed(IOException cause);
}
