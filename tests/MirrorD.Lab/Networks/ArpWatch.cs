using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Networks;

/// <summary>tcpdump of ARP on a host's production interface.</summary>
public sealed class ArpWatch : IDisposable
{
    private static int s_watches;
    private readonly LabProcess _process;

    /// <summary>Starts it and waits until it listens.</summary>
    public ArpWatch(Host host)
    {
        // A log of its own: what an earlier watch saw is not this one's.
        string name = $"tcpdump-{Interlocked.Increment(ref s_watches)}";
        _process = host.Start(name, "tcpdump", "-i", Host.ProductionInterface, "-n", "-e", "-l", "arp");
        _process.WaitForOutput("listening on", 10);
    }

    /// <summary>One line per frame.</summary>
    public IReadOnlyList<string> Frames =>
        [.. _process.Output.Split('\n').Where(line => line.Contains("ARP"))];

    /// <summary>Gratuitous ARP requests for an address from a hardware address: "who has X tell X".</summary>
    public int GratuitousRequests(string address, string hardwareAddress) => Frames.Count(
        frame => frame.Contains($" {hardwareAddress} > ") && frame.Contains($"Request who-has {address} ")
            && frame.Contains($"tell {address},"));

    /// <summary>Gratuitous ARP replies: "X is at …" to everybody.</summary>
    public int GratuitousReplies(string address, string hardwareAddress) => Frames.Count(
        frame => frame.Contains($" {hardwareAddress} > ") && frame.Contains("ff:ff:ff:ff:ff:ff")
            && frame.Contains($"Reply {address} is-at {hardwareAddress}"));

    /// <inheritdoc/>
    public void Dispose() => _process.Kill();

    /// <summary>Everything, for messages.</summary>
    public string Tail() => _process.Tail();
}
