namespace MirrorD.Fuzz.Planted;

/// <summary>Bugs in what files, callers, the kernel and the network of a host say.</summary>
public static partial class PlantedBugs
{
    private const string Yaml = "src/MirrorD.Configuration/Yaml/YamlTreeReader.cs";
    private const string Json = "src/MirrorD.Api/ApiJson.cs";
    private const string Netlink = "src/MirrorD.Io.Linux/Network/NetlinkMessage.cs";
    private const string Arp = "src/MirrorD.Io.Linux/Network/ArpFrame.cs";
    private const string Neighbour = "src/MirrorD.Io.Linux/Network/NeighbourFrame.cs";

    private static PlantedBug[] Node =>
    [
        new("configuration", Yaml,
            "when (broken is InvalidOperationException or ArgumentException)", "when (broken is ArgumentException)",
            "an exception of the YAML library gets out"),
        new("configuration", "src/MirrorD.Configuration/Reading/ServiceAddressReader.cs",
            "|| prefix < 1 || prefix > most)", "|| prefix > most)", "a prefix of no bits"),
        new("configuration", "src/MirrorD.Configuration/Reading/ResourceReader.cs",
            "named.Count == 2 && named[0] != named[1]", "named.Count == 2", "a resource between one node and itself"),
        new("api-body", Json,
            """
                    AllowDuplicateProperties = false,
                    RespectNullableAnnotations = true,
                    WriteIndented
            """,
            """
                    AllowDuplicateProperties = true,
                    RespectNullableAnnotations = true,
                    WriteIndented
            """, "a member may stand there twice"),
        new("api-body", "src/MirrorD.Api/ResizeRequest.cs",
            "public long? SizeBytes { get; init; }", "public long? SizeBytes { get; init => field = (int?)value; }",
            "a size is cut to 32 bits"),
        new("api-body", "src/MirrorD.Api/VerifyRequest.cs",
            "public bool Repair { get; init; }", "public bool Repair { get; init => field |= !value; }",
                "a flag turned round"),
        new("state-files", "src/MirrorD.Daemon/Storage/JsonLinesFile.cs",
            "catch (JsonException)", "catch (FormatException)", "a torn line ends the daemon's start"),
        new("state-files", "src/MirrorD.Daemon/Takeover/HeldAddressFile.cs",
            "bits <= 8 * parsed.GetAddressBytes().Length", "bits <= 128", "a prefix longer than the address"),
        new("state-files", "src/MirrorD.Daemon/Resources/MetadataPlaces.cs",
            "deviceBytes >= MetadataPlacement.MinimumInternalBytes", "deviceBytes > 0", "a device too small for metadata"),
    ];

    private static PlantedBug[] Linux =>
    [
        new("netlink", Netlink,
            "|| header.rta_len < sizeof(rtattr) || header.rta_len > rest.Length", "|| header.rta_len > rest.Length",
            "an attribute shorter than its header"),
        new("netlink", Netlink,
            "|| header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > rest.Length", "|| header.nlmsg_len > rest.Length",
            "a message shorter than its header"),
        new("netlink", Netlink,
            "rest[int.Min(rest.Length, Align(header.rta_len))..]", "rest[Align(header.rta_len)..]",
            "the last attribute need not fill its padding"),
        new("arp", Arp, "frame.Length >= LengthBytes", "frame.Length >= TargetOffset", "a frame without its last field"),
        new("arp", Arp, "&& frame[19] == 4", "&& frame[19] >= 4", "another length of addresses is accepted"),
        new("arp", Arp, "EthernetAddress.Read(frame[22..])", "EthernetAddress.Read(frame[6..])",
            "the sender of the frame, not of the message"),
        new("neighbour", Neighbour,
            "if (end < MinLengthBytes || end > frame.Length ||", "if (end < MinLengthBytes ||",
                "a message longer than its frame"),
        new("neighbour", Neighbour,
            "options[1] != 0 && ", "", "an option of no length is read for ever"),
        new("neighbour", Neighbour,
            "8 * options[1] <= options.Length)", "options[1] <= options.Length)", "an option longer than the message"),
    ];
}
