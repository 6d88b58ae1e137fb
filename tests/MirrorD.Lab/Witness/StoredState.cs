using System.Security.Cryptography;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Witness;

/// <summary>What a node has stored, for a comparison: the metadata on its disk, its identity and its keys.</summary>
public static class StoredState
{
    /// <summary>A text that is the same as long as nothing of it changes. Nothing may be written to the volumes.</summary>
    public static string Of(Node node)
    {
        ToolResult dump = node.Offline("inspect", node.Disk(), "--dump").Require();
        IEnumerable<string> files = Directory.GetFiles(node.StateDirectory, "*", SearchOption.AllDirectories)
            .Where(IsKept).Order(StringComparer.Ordinal)
            .Select(file => $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))} {file}");
        return $"{string.Join('\n', files)}\n{dump.Output}";
    }

    /// <summary>
    /// What has changed since. A Primary stores the map of what it has written alone in its own time, as its log covers that
    /// until then: its map does not count.
    /// </summary>
    public static IReadOnlyList<string> Changes(Node node, string before)
    {
        string[] then = before.Split('\n');
        string[] now = Of(node).Split('\n');
        bool counts = !node.Status().IsPrimary;
        return
        [
            .. then.Except(now).Select(line => $"gone: {line}").Concat(now.Except(then).Select(line => $"new: {line}"))
                .Where(line => counts || !line.Contains(": dirty", StringComparison.Ordinal)),
        ];
    }

    // The journal tells of what was tried, and grows by that.
    private static bool IsKept(string file) =>
        file.Contains("/identity/", StringComparison.Ordinal) || Path.GetFileName(file) is "node-id" or "cluster.key";
}
