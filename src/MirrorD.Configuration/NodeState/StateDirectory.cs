namespace MirrorD.Configuration.NodeState;

/// <summary>What a node keeps beside its configuration: its id, the cluster's key, what happened.</summary>
/// <param name="path">The directory.</param>
public sealed class StateDirectory(string path)
{
    /// <summary>Where it is unless another place is named.</summary>
    public const string DefaultPath = "/var/lib/mirrord";

    /// <summary>The directory.</summary>
    public string Path { get; } = path;

    /// <summary>File of the node's id.</summary>
    public string NodeIdFile => System.IO.Path.Combine(Path, "node-id");

    /// <summary>File of the key that the nodes share.</summary>
    public string KeyFile => System.IO.Path.Combine(Path, "cluster.key");

    /// <summary>The files by which this node shows who it is.</summary>
    public Identity.IdentityDirectory Identity => new(System.IO.Path.Combine(Path, "identity"));

    /// <summary>File of what happened.</summary>
    public string EventsFile => System.IO.Path.Combine(Path, "events.jsonl");

    /// <summary>File of the takeovers.</summary>
    public string HistoryFile => System.IO.Path.Combine(Path, "history.jsonl");

    /// <summary>Directory of what is known about the sizes of backing devices.</summary>
    public string PlacesDirectory => System.IO.Path.Combine(Path, "places");

    /// <summary>File in <paramref name="directory"/> with the size of the device that a volume's metadata was last at the end of.</summary>
    public static string PlaceFile(string directory, string resource, string volume) =>
        System.IO.Path.Combine(directory, $"{resource}.{volume}.device-bytes");

    /// <summary>A volume is made afresh: where its metadata lay in an earlier life does not matter any more.</summary>
    /// <exception cref="NodeStateException">The file can't be removed.</exception>
    public void ForgetPlace(string resource, string volume)
    {
        string file = PlaceFile(PlacesDirectory, resource, volume);
        try
        {
            if (File.Exists(file))
            {
                File.Delete(file);
                DurableFile.FlushDirectory(PlacesDirectory);
            }
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException($"{file} can't be removed: {failed.Message.TrimEnd('.')}", "run this as root");
        }
    }

    /// <summary>Makes the directory when it is missing.</summary>
    /// <exception cref="NodeStateException">It can't be made.</exception>
    public void Ensure()
    {
        try
        {
            Directory.CreateDirectory(
                Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                    | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException(
                $"the state directory {Path} can't be made: {failed.Message.TrimEnd('.')}",
                "run this as root, or name another directory with --state-dir");
        }
    }

    /// <summary>The stable id of this node: read, or made once and kept.</summary>
    /// <exception cref="NodeStateException">The file is damaged or can't be written.</exception>
    public Guid NodeId()
    {
        Ensure();
        try
        {
            if (!File.Exists(NodeIdFile))
            {
                DurableFile.TryCreate(
                    NodeIdFile, System.Text.Encoding.ASCII.GetBytes($"{Guid.NewGuid()}\n"),
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead
                        | UnixFileMode.OtherRead);
            }

            string text = File.ReadAllText(NodeIdFile).Trim();
            return Guid.TryParseExact(text, "D", out Guid id) && id != Guid.Empty
                ? id
                : throw new NodeStateException(
                    $"{NodeIdFile} does not hold a node id",
                    "restore it from a backup ('mirrorctl inspect' on a volume's device shows the id), " +
                    "or remove it only if this node has no volumes yet");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException(
                $"{NodeIdFile} can't be used: {failed.Message.TrimEnd('.')}",
                "run this as root, and check the disk");
        }
    }
}
