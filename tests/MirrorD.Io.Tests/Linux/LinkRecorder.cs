using System.Collections.Concurrent;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Tests.Linux;

/// <summary>Keeps what a link watch tells, in its order.</summary>
internal sealed class LinkRecorder : ILinkObserver, IDisposable
{
    private readonly BlockingCollection<string> _told = [];

    /// <summary>Called with each line on the watch's thread, before it can be waited for.</summary>
    public Action<string>? Told { get; set; }

    /// <summary>Number of lines that were not waited for yet.</summary>
    public int Left => _told.Count;

    /// <summary>The next line, waited for.</summary>
    public string Next(string what)
    {
        bool isTold = _told.TryTake(out string? line, TimeSpan.FromSeconds(20));
        Assert.True(isTold, $"waited 20 s for: {what}");
        return line!;
    }

    /// <summary>Skips lines until this one.</summary>
    public void WaitFor(string line)
    {
        while (Next(line) != line)
        {
        }
    }

    public void Dispose() => _told.Dispose();

    void ILinkObserver.AddressGone(InterfaceAddress address) => Add($"gone {address}");

    void ILinkObserver.CarrierChanged(string interfaceName, bool hasCarrier) =>
        Add($"carrier {interfaceName} {hasCarrier}");

    void ILinkObserver.MacChanged(string interfaceName) => Add($"mac {interfaceName}");

    void ILinkObserver.ForeignAnnouncement(InterfaceAddress address, EthernetAddress mac) =>
        Add($"foreign {address} {mac}");

    void ILinkObserver.WatchFailed(IOException cause) => Add($"failed {cause.Message}");

    private void Add(string line)
    {
        Told?.Invoke(line);
        _told.Add(line);
    }
}
