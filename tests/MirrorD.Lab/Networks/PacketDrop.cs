using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Networks;

/// <summary>
/// Drops frames as they come in at an interface: the sender sees nothing but silence, and no carrier goes.
/// </summary>
internal static class PacketDrop
{
    /// <summary>Begins at an interface of a network namespace; a second time replaces the first.</summary>
    /// <param name="networkNamespace">The network namespace.</param>
    /// <param name="networkInterface">The interface.</param>
    /// <param name="includingArp">
    /// False for a cut in one direction: without ARP the other direction would end as well, after a while that is the
    /// kernel's to choose.
    /// </param>
    public static void Begin(string networkNamespace, string networkInterface, bool includingArp)
    {
        string table = Table(networkInterface);
        string what = includingArp ? "" : "ether type != arp ";
        string rules =
            $"add table netdev {table}; delete table netdev {table}; add table netdev {table}; " +
            $"add chain netdev {table} incoming " +
            $"{{ type filter hook ingress device \"{networkInterface}\" priority 0; }}; " +
            $"add rule netdev {table} incoming {what}drop";
        Nft(networkNamespace, rules).Require();
    }

    /// <summary>
    /// Begins at several interfaces of a network namespace in the same instant, both ways; each until
    /// <see cref="End"/>. What is sent goes nowhere without an error; ARP requests still leave, since a raw socket would
    /// be told.
    /// </summary>
    /// <param name="networkNamespace">The network namespace.</param>
    /// <param name="cuts">Interface, and the hardware address that is cut off from it; null for every one.</param>
    public static void BeginAtOnce(
        string networkNamespace, params IReadOnlyList<(string Interface, string? OtherEnd)> cuts) =>
        Nft(networkNamespace, string.Join("; ", cuts.Select(cut =>
        {
            string table = Table(cut.Interface);
            string from = cut.OtherEnd is { } source ? $"ether saddr {source} " : "";
            string to = cut.OtherEnd is { } destination ? $"ether daddr {destination} " : "";
            return
                $"add table netdev {table}; delete table netdev {table}; add table netdev {table}; " +
                $"add chain netdev {table} incoming " +
                $"{{ type filter hook ingress device \"{cut.Interface}\" priority 0; }}; " +
                $"add chain netdev {table} outgoing " +
                $"{{ type filter hook egress device \"{cut.Interface}\" priority 0; }}; " +
                $"add rule netdev {table} incoming {from}drop; " +
                $"add rule netdev {table} outgoing {to}ether type != arp drop";
        }))).Require();

    /// <summary>Ends it, if it ever began.</summary>
    public static void End(string networkNamespace, string networkInterface) =>
        Nft(networkNamespace, $"delete table netdev {Table(networkInterface)}");

    private static string Table(string networkInterface) => $"cut_{networkInterface.Replace('-', '_')}";

    private static ToolResult Nft(string networkNamespace, string rules) =>
        Tool.Run("nsenter", Host.NamespaceOption(networkNamespace), "nft", rules);
}
