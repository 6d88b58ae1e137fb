using System.Net;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// Told by a <see cref="LinkWatch"/> on its thread; must return soon and not throw. The state at the start is
/// not told.
/// </summary>
public interface ILinkObserver
{
    /// <summary>
    /// A watched address is not on its interface any more: it was deleted, or its interface was. After lost
    /// messages this may be told of an address that was never there.
    /// </summary>
    void AddressGone(InterfaceAddress address);

    /// <summary>The interface got or lost its carrier, was taken down, removed or added.</summary>
    void CarrierChanged(string interfaceName, bool hasCarrier);

    /// <summary>The interface has another MAC than before.</summary>
    void MacChanged(string interfaceName);

    /// <summary>
    /// Somebody claims a watched address with a MAC that no interface of this host has. Told for each frame.
    /// </summary>
    void ForeignAnnouncement(InterfaceAddress address, EthernetAddress mac);

    /// <summary>The watch has ended by itself; nothing is told any more.</summary>
    void WatchFailed(IOException cause);
}
