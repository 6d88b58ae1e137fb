using System.Text;
using MirrorD.Configuration;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Node;

/// <summary>The text of mirrord.yaml, and behind a line of its own that of a file in conf.d: never an exception.</summary>
internal sealed class ConfigurationTarget : FuzzTarget
{
    private const string Separator = "\n#---8<---\n";

    private static readonly string[] s_keys =
    [
        "nodes:", "resources:", "dedicated:", "production:", "address:", "interface:", "gateway:", "port:", "heartbeat-port:",
        "call-port:", "between:", "volumes:", "device:", "metadata:", "size:", "addresses:", "preferred-primary:", "on-stop:",
        "resync-rate:", "hooks:", "post-acquire:", "pre-release:", "arbiter:", "directory:", "notify:", "mail:", "command:",
        "none", "[a, b]", "[a, a]", "192.0.2.10/0", "[]", "{}", "&a", "*a", "!!int", "|", ">", "'", "\"", "? ", "- ", "---",
        "...", "100MiB/s", "10.0.0.1/24",
        "2001:db8::1/64", "switchover", "freeze", "continue", "yes", "no", "true", "false", "null", "~", "5s", "100ms",
            "1h", "%",
        "sync", "memory", "async", "manual", "Sunday 02:00", "verify:", "replication:", "mode:", "snapshots:", "\u00a0", "\t",
    ];

    private readonly ScratchDirectory _directory = new("configuration");

    public override string Name => "configuration";

    public override IReadOnlyList<string> Files =>
    [
        "src/MirrorD.Configuration/ConfigurationFile.cs", "src/MirrorD.Configuration/Yaml/YamlTreeReader.cs",
        "src/MirrorD.Configuration/Yaml/YamlMerger.cs", "src/MirrorD.Configuration/Reading/Addresses.cs",
        "src/MirrorD.Configuration/Reading/ClusterChecks.cs", "src/MirrorD.Configuration/Reading/ClusterReader.cs",
        "src/MirrorD.Configuration/Reading/FailoverReader.cs", "src/MirrorD.Configuration/Reading/Names.cs",
        "src/MirrorD.Configuration/Reading/NearestKey.cs", "src/MirrorD.Configuration/Reading/NodeOverrides.cs",
        "src/MirrorD.Configuration/Reading/NodeReader.cs", "src/MirrorD.Configuration/Reading/NotifyReader.cs",
        "src/MirrorD.Configuration/Reading/Quantities.cs", "src/MirrorD.Configuration/Reading/ReplicationReader.cs",
        "src/MirrorD.Configuration/Reading/ResourceReader.cs", "src/MirrorD.Configuration/Reading/Section.cs",
        "src/MirrorD.Configuration/Reading/ServiceAddressReader.cs", "src/MirrorD.Configuration/Reading/VolumeReader.cs",
    ];

    public override bool IsText => true;

    public override IReadOnlyList<byte[]> Words => [.. s_keys.Select(Encoding.UTF8.GetBytes)];

    // The parser of the library, and a message for each mistake.
    public override long MostAllocatedBytes(int inputBytes) => 4 * 1024 * 1024 + 4096L * inputBytes;

    public override IEnumerable<byte[]> Seeds() => SampleConfigurations.All.Select(Encoding.UTF8.GetBytes);

    public override void Run(byte[] input)
    {
        string[] texts = Encoding.UTF8.GetString(input).Split(Separator, 3);
        ConfigurationResult result = input.Length % 32 == 0
            ? Load(texts) : ConfigurationFile.Parse([.. texts.Select((text, i) => ($"file{i}.yaml", text))]);
        BrokenProperty.Unless(result.Configuration is null == result.Errors.Count > 0, "a configuration, or what is wrong");
        foreach (ConfigurationError error in result.Errors)
        {
            BrokenProperty.Unless(error.ToString().Length > 0, "a mistake has a text");
        }

        if (result.Configuration is not { } good)
        {
            return;
        }

        foreach (ResourceConfiguration resource in good.Resources.Values)
        {
            BrokenProperty.Unless(resource.Between.Count == 2 && resource.Between[0] != resource.Between[1],
                "a pair is two nodes");
            BrokenProperty.Unless(resource.Between.All(good.Nodes.ContainsKey), "both nodes are there");
            BrokenProperty.Unless(resource.Between.All(resource.On.ContainsKey), "each node of the pair has its part");
            BrokenProperty.Unless(
                resource.On.Values.All(on => on.Addresses.All(
                    each => each.PrefixLength > 0 && each.PrefixLength <= 8 * each.Address.GetAddressBytes().Length)),
                "a prefix is as long as its address at most");
            BrokenProperty.Unless(
                resource.TakeoverDelayMs is >= 0 and <= 300_000 && resource.DiskTimeoutMs >= 0
                    && resource.ResyncBytesPerSecond >= 0 && resource.ResyncFloorBytesPerSecond >= 0,
                "quantities lie within their limits");
        }
    }

    // From files, as the daemon does; an empty first text is a file that is not there, a short one is a directory.
    private ConfigurationResult Load(string[] texts)
    {
        string main = Path.Combine(_directory.Path, "mirrord.yaml");
        string extra = Path.Combine(_directory.Path, "conf.d", "1.yaml");
        Reset(main);
        Directory.CreateDirectory(Path.GetDirectoryName(extra)!);
        File.Delete(extra);
        if (texts[0].Length > 100)
        {
            File.WriteAllText(main, texts[0]);
        }
        else if (texts[0].Length > 0)
        {
            Directory.CreateDirectory(main);
        }

        if (texts.Length > 1)
        {
            File.WriteAllText(extra, texts[1]);
        }

        return ConfigurationFile.Load(main);
    }

    private static void Reset(string file)
    {
        if (Directory.Exists(file))
        {
            Directory.Delete(file);
        }

        File.Delete(file);
    }
}
