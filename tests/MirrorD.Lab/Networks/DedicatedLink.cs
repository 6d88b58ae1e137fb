using System.Text.Json;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Networks;

/// <summary>
/// The cable between a and b: a veth pair that can be cut loudly or silently, and counts bytes.
/// </summary>
public sealed class DedicatedLink
{
    private readonly Host _a;
    private readonly Host _b;

    internal DedicatedLink(Host a, Host b)
    {
        _a = a;
        _b = b;
    }

    /// <summary>Takes a's end down: b sees its carrier go.</summary>
    public void Cut() => CutAt(_a);

    /// <summary>Takes a host's end down: the other host sees its carrier go.</summary>
    public void CutAt(Host host) =>
        host.Run("ip", "link", "set", Host.DedicatedInterface, "down").Require();

    /// <summary>Drops every packet in both directions while the carrier stays.</summary>
    public void CutSilently()
    {
        PacketDrop.Begin(_a.Namespace, Host.DedicatedInterface, includingArp: true);
        PacketDrop.Begin(_b.Namespace, Host.DedicatedInterface, includingArp: true);
    }

    /// <summary>Drops what one host sends to the other, but ARP; the way back stays open.</summary>
    public void CutSilentlyTowards(Host receiver, bool includingArp = false) =>
        PacketDrop.Begin(receiver.Namespace, Host.DedicatedInterface, includingArp);

    /// <summary>From now on what one host sends leaves it no faster than this.</summary>
    /// <param name="sender">The host.</param>
    /// <param name="rate">As tc has it, e.g. "8mbit".</param>
    public static void SlowDown(Host sender, string rate) => sender.Run(
        "tc", "qdisc", "replace", "dev", Host.DedicatedInterface, "root",
        "tbf", "rate", rate, "burst", "10kb", "latency", "5s").Require();

    /// <summary>Undoes every kind of cut.</summary>
    public void Mend()
    {
        foreach (Host host in (Host[])[_a, _b])
        {
            PacketDrop.End(host.Namespace, Host.DedicatedInterface);
            host.Run("ip", "link", "set", Host.DedicatedInterface, "up").Require();
        }
    }

    /// <summary>The counters of both ends; a witness that does not depend on the daemons.</summary>
    public LinkBytes ReadBytes() => new(Transmitted(_a), Transmitted(_b));

    private static long Transmitted(Host host)
    {
        ToolResult shown =
            host.Run("ip", "-json", "-stats", "link", "show", Host.DedicatedInterface).Require();
        using JsonDocument document = JsonDocument.Parse(shown.Output);
        JsonElement counters = document.RootElement[0].GetProperty("stats64");
        return counters.GetProperty("tx").GetProperty("bytes").GetInt64();
    }
}
