using System.Net;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// Watches interfaces and addresses of this network namespace on a thread of its own: rtnetlink tells of links
/// and addresses (after lost messages, ENOBUFS, the state is read again), raw sockets of neighbours that
/// announce a watched address. The thread runs in the namespace of the thread that starts it.
/// </summary>
public sealed class LinkWatch : IDisposable
{
    private readonly ILinkObserver _observer;
    private readonly IReadOnlyList<InterfaceAddress> _addresses;
    private readonly WatchedLink[] _links;
    private readonly NetlinkSubscription _changes;
    private readonly WakeSignal _stopped = new();
    private readonly Thread _thread;

    // MACs of all interfaces of this host: with two of them on one network, the other one may answer.
    private readonly Dictionary<int, EthernetAddress> _ownMacs = [];

    private readonly byte[] _frame = new byte[PacketSocket.FrameBytes];
    private volatile bool _isStopping;

    /// <summary>Watches from now on.</summary>
    /// <param name="interfaces">
    /// Names of interfaces whose carrier and MAC matter; they need not exist yet. Those of the addresses are
    /// watched in any case.
    /// </param>
    /// <param name="addresses">Addresses that this host has or is about to add.</param>
    /// <param name="observer">Told what happens.</param>
    /// <exception cref="IOException">The kernel refused; the message says what.</exception>
    public LinkWatch(
        IEnumerable<string> interfaces, IEnumerable<InterfaceAddress> addresses, ILinkObserver observer)
    {
        _observer = observer;
        _addresses = [.. addresses];
        string[] names = [.. interfaces.Concat(_addresses.Select(address => address.Interface)).Distinct()];
        _links = [.. names.Select(name => new WatchedLink(name, AddressesOn(name)))];
        try
        {
            const uint groups =
                Rtnetlink.RTMGRP_LINK | Rtnetlink.RTMGRP_IPV4_IFADDR | Rtnetlink.RTMGRP_IPV6_IFADDR;
            _changes = new NetlinkSubscription(groups);
            foreach (LinkInfo link in LinkInfo.List())
            {
                Note(link, isTold: false);
            }
        }
        catch (IOException)
        {
            Close();
            throw;
        }

        _thread = new Thread(Run) { IsBackground = true, Name = "link watch" };
        _thread.Start();
    }

    /// <summary>
    /// Ends the watch; nothing is told afterwards. Waits for an observer that is being told, unless it is that
    /// which calls.
    /// </summary>
    public void Dispose()
    {
        _isStopping = true;
        _stopped.Raise();
        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }
    }

    private IPAddress[] AddressesOn(string interfaceName) =>
        [.. _addresses.Where(each => each.Interface == interfaceName).Select(each => each.Address)];

    private void Run()
    {
        try
        {
            while (!_isStopping)
            {
                Wait();
                if (!_isStopping && !_changes.Visit(Changed))
                {
                    ReadAgain();
                }

                foreach (WatchedLink link in _links)
                {
                    link.Visit(_frame, (address, mac) => Announced(link, address, mac));
                }
            }
        }
        catch (IOException failed)
        {
            if (!_isStopping)
            {
                _observer.WatchFailed(failed);
            }
        }
        finally
        {
            Close();
        }
    }

    private void Wait()
    {
        int[] sources = [_stopped.Fd, _changes.Fd, .. _links.SelectMany(link => link.Sources)];
        WakeSignal.Poll([.. sources.Select(fd => new pollfd { fd = fd, events = Poll.POLLIN })], timeoutMs: -1);
    }

    private void Changed(ushort type, ReadOnlySpan<byte> body)
    {
        if (_isStopping)
        {
            return;
        }

        switch (type)
        {
            case Rtnetlink.RTM_NEWLINK when LinkInfo.Parse(body) is { } link:
                Note(link, isTold: true);
                break;
            case Rtnetlink.RTM_DELLINK when LinkInfo.Parse(body) is { } link:
                Forget(link.Index);
                break;
            case Rtnetlink.RTM_DELADDR when AddressInfo.Parse(body) is { } gone:
                foreach (InterfaceAddress address in _addresses.Where(each => IsAt(each, gone)))
                {
                    _observer.AddressGone(address);
                }

                break;
            default:
                break;
        }
    }

    /// <summary>Messages were lost: tells what differs from the state known before.</summary>
    private void ReadAgain()
    {
        List<LinkInfo> links = LinkInfo.List();
        int[] gone = [.. _ownMacs.Keys.Concat(_links.Select(link => link.Index))
            .Except(links.Select(link => link.Index))];
        foreach (int index in gone)
        {
            Forget(index);
        }

        foreach (LinkInfo link in links)
        {
            Note(link, isTold: true);
        }

        using var socket = new NetlinkSocket(Netlink.NETLINK_ROUTE);
        List<AddressInfo> there = AddressInfo.List(socket);
        foreach (InterfaceAddress address in _addresses.Where(each => !there.Exists(it => IsAt(each, it))))
        {
            _observer.AddressGone(address);
        }
    }

    private bool IsAt(InterfaceAddress address, AddressInfo info) =>
        address.Address.Equals(info.Address)
        && _links.Any(link => link.Name == address.Interface && link.Index == info.InterfaceIndex);

    private void Note(LinkInfo info, bool isTold)
    {
        if (info.Mac is { } mac)
        {
            _ownMacs[info.Index] = mac;
        }

        foreach (WatchedLink link in _links)
        {
            if (link.Name != info.Name)
            {
                if (link.Index == info.Index)
                {
                    Lose(link); // It was renamed.
                }

                continue;
            }

            LinkChange change = link.Become(info);
            if (isTold && change.HasFlag(LinkChange.Mac))
            {
                _observer.MacChanged(link.Name);
            }

            if (isTold && change.HasFlag(LinkChange.Carrier))
            {
                _observer.CarrierChanged(link.Name, info.HasCarrier);
            }
        }
    }

    private void Forget(int index)
    {
        _ownMacs.Remove(index);
        foreach (WatchedLink link in _links.Where(link => link.Index == index))
        {
            Lose(link);
        }
    }

    private void Lose(WatchedLink link)
    {
        if (link.Index != 0 && link.Leave().HasFlag(LinkChange.Carrier))
        {
            _observer.CarrierChanged(link.Name, false);
        }
    }

    private void Announced(WatchedLink link, IPAddress address, EthernetAddress mac)
    {
        InterfaceAddress? claimed =
            _addresses.FirstOrDefault(each => each.Interface == link.Name && each.Address.Equals(address));
        if (claimed is not null && !_isStopping && !_ownMacs.ContainsValue(mac))
        {
            _observer.ForeignAnnouncement(claimed, mac);
        }
    }

    private void Close()
    {
        foreach (WatchedLink link in _links)
        {
            link.Dispose();
        }

        _changes?.Dispose();
        _stopped.Dispose();
    }
}
