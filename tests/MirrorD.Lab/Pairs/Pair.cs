using System.Globalization;
using System.Text;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Pairs;

/// <summary>Two nodes with one resource, created and ready to start.</summary>
public sealed partial class Pair
{
    /// <summary>The resource of every pair.</summary>
    public const string ResourceName = "mail";

    private readonly Lab _lab;
    private readonly PairOptions _options;

    /// <summary>
    /// Makes disks, configuration and key, and creates the volumes' metadata on both nodes.
    /// </summary>
    public Pair(Lab lab, PairOptions options)
    {
        _lab = lab;
        _options = options;
        A = new Node(_lab, _lab.A);
        B = new Node(_lab, _lab.B);
        string resource = ResourceSection();
        foreach (Node node in (Node[])[A, B])
        {
            File.WriteAllText(node.ConfigurationPath, resource + OwnSections(node));
        }

        Create();
    }

    /// <summary>How it was set up.</summary>
    public PairOptions Options => _options;

    /// <summary>First node.</summary>
    public Node A { get; }

    /// <summary>Second node.</summary>
    public Node B { get; }

    /// <summary>Starts both daemons, waits until they are joined and promotes a.</summary>
    public void StartJoinedWithPrimaryA()
    {
        A.StartAndWait();
        B.StartAndWait();
        WaitUntilJoined(60);
        A.Promote();
        JoinAndPromoteMore();
    }

    /// <summary>Waits until both say that they are joined.</summary>
    public void WaitUntilJoined(double seconds)
    {
        A.WaitFor("joined", seconds, view => view.IsJoined);
        B.WaitFor("joined", seconds, view => view.IsJoined);
    }

    /// <summary>Promotes a node whose peer has died, as an operator would: once it has noticed.</summary>
    public static void TakeOver(Node survivor)
    {
        survivor.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        survivor.Control("promote", ResourceName).Require();
        survivor.WaitFor("to be Primary", 20, view => view.IsPrimary);
    }

    /// <summary>The other node of the pair.</summary>
    public Node Other(Node node) => node == A ? B : A;

    /// <summary>
    /// Compares both backing disks over the length of the volume; nothing may be in flight. Null when
    /// identical, else the first difference.
    /// </summary>
    public string? Difference(string volume = "data")
    {
        long lengthBytes = A.Status().LengthBytes(volume);
        ToolResult compared = Tool.RunWithin(
            TimeSpan.FromMinutes(2), "cmp", "-n", $"{lengthBytes}", A.Disk(volume), B.Disk(volume));
        return compared.ExitCode switch
        {
            0 => null,
            1 => compared.Output.Trim(),
            _ => throw new ToolFailedException(compared),
        };
    }

    /// <summary>Bytes that differ between the backing disks, as their offsets: what cmp sees, past both daemons.</summary>
    public IReadOnlyList<long> DifferingBytes(string volume = "data")
    {
        ToolResult compared = Tool.RunWithin(
            TimeSpan.FromMinutes(2), "cmp", "-l", "-n", $"{A.Status().LengthBytes(volume)}", A.Disk(volume), B.Disk(volume));
        return compared.ExitCode is 0 or 1
            ? [.. compared.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => long.Parse(line.Trim().Split(' ')[0], CultureInfo.InvariantCulture) - 1)]
            : throw new ToolFailedException(compared);
    }

    private string ResourceSection()
    {
        var text = new StringBuilder("nodes:\n");
        string gateway = _options.Gateway ? $", gateway: {_lab.Gateway.ProductionAddress}" : "";
        foreach (Node node in (Node[])[A, B])
        {
            Host host = node.Host;
            text.AppendLine($$"""
                  {{node.Name}}:
                    dedicated: {address: {{host.DedicatedAddress}}, interface: {{Host.DedicatedInterface}}}
                    production: {address: {{host.ProductionAddress}}, interface: {{Host.ProductionInterface}}{{gateway}}}
                """);
            if (_options.NodeLine.TryGetValue(node.Name, out string? line))
            {
                text.AppendLine($"    {line}");
            }
        }

        // The resource names a's disks; b has others.
        text.AppendLine($"    resources: {{{ResourceName}: {{volumes: {{{Volumes(B)}}}}}{MoreDisksOfB()}}}");
        text.AppendLine($$"""
            resources:
              {{ResourceName}}:
                between: [a, b]
                volumes: { {{Volumes(A)}} }
                addresses: [{address: {{Lab.ServiceAddress}}/32}]
                on-peer-loss: {{_options.OnPeerLoss}}
            """);
        AppendIfGiven("link-timeout", _options.LinkTimeout);
        AppendIfGiven("resync-rate", _options.ResyncRate);
        AppendIfGiven("autoswitch", _options.Autoswitch switch { true => "on", false => "off", null => null });
        foreach (string line in _options.ResourceLines)
        {
            text.AppendLine($"    {line}");
        }

        AppendMore(text);
        return text.ToString();

        void AppendIfGiven(string key, string? value)
        {
            if (value is not null)
            {
                text.AppendLine($"    {key}: {value}");
            }
        }
    }

    // The file is meant to be the same on both nodes; here paths differ, since the hosts share one file system.
    private string OwnSections(Node node)
    {
        var text = new StringBuilder($"notify: {{command: '{node.NotifyCommand}'}}\n");
        if (_options.Arbiter)
        {
            string directory = Path.Combine(_lab.Directory, "arbiter");
            Directory.CreateDirectory(directory);
            text.AppendLine($"arbiter: {{directory: {node.MountArbiter(directory)}}}");
        }

        if (_options is { HeartbeatInterval: { } interval, DeadAfter: { } deadAfter })
        {
            text.AppendLine(
                $"heartbeat: {{interval: {interval.TotalMilliseconds}ms, dead-after: {deadAfter.TotalMilliseconds}ms}}");
        }

        return text.ToString();
    }

    private string Volumes(Node node) => string.Join(", ", _options.Volumes.Select(volume => Volume(node, volume)));

    private string Volume(Node node, string volume)
    {
        string kind = _options.Disks is DiskKind.File or DiskKind.Sparse or DiskKind.Crowded or DiskKind.Shared
            ? "file" : "device";
        return $"{volume}: {{{kind}: {node.AddDisk(volume, _options)}}}";
    }

    // The disks are new on both sides, so there is nothing to name as source.
    private void Create()
    {
        MakeCluster(A);
        Issue(A, B);
        Create(A, "--empty");
        Create(B, "--empty");
        foreach (string resource in MoreResources)
        {
            Create(A, resource, ["--empty"]);
            Create(B, resource, ["--empty"]);
        }
    }

    /// <summary>Makes a cluster with one node.</summary>
    public static void MakeCluster(Node node) => node.Offline(
        "cluster", "init", "--config", node.ConfigurationPath, "--node-name", node.Name, "--state-dir", node.StateDirectory)
        .Require();

    /// <summary>Makes another node a member of a node's cluster.</summary>
    public static void Issue(Node by, Node to) => by.Offline(
        "cluster", "issue", to.Name, "--out", to.StateDirectory, "--config", by.ConfigurationPath, "--node-name", by.Name,
        "--state-dir", by.StateDirectory).Require();

    /// <summary>Prepares a node's disks, while its daemon does not run.</summary>
    /// <param name="node">The node.</param>
    /// <param name="whoseDataCounts">"--empty", or "--from" and a node.</param>
    public static void Create(Node node, params IReadOnlyList<string> whoseDataCounts) =>
        Create(node, ResourceName, whoseDataCounts);

    private static void Create(Node node, string resource, IReadOnlyList<string> whoseDataCounts) => node.Offline(
        ["create", resource, .. whoseDataCounts, "--config", node.ConfigurationPath, "--node-name", node.Name,
            "--state-dir", node.StateDirectory]).Require();
}
