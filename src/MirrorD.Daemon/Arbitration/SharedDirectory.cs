using System.Text;
using MirrorD.Configuration.NodeState;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using Mono.Unix.Native;

namespace MirrorD.Daemon.Arbitration;

/// <summary>
/// The arbiter in a directory that both nodes mount from a third machine. A session is claimed by giving a
/// file, whole and on stable storage, the name &lt;resource&gt;/&lt;session&gt; with link(2), which only one
/// caller can do. Whatever link answers, the owner is whom the file names: over a network file system a lost
/// answer looks like an error. Blocks for as long as the file system does.
/// </summary>
internal sealed class SharedDirectory(string path)
{
    private const string Format = "mirrord-claim 1";
    private const UnixFileMode Mode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Claims a session for a node; a claim by its owner is granted again.</summary>
    public ArbiterAnswer Claim(string resource, SessionId session, NodeId node)
    {
        try
        {
            // The directory itself is the operator's: making it here would give each node an arbiter of its
            // own while the file system isn't mounted.
            if (!Directory.Exists(path))
            {
                return ArbiterAnswer.Unreachable;
            }

            string directory = Path.Combine(path, resource);
            if (!Directory.Exists(directory))
            {
                Directory.CreateDirectory(directory);
                DurableFile.FlushDirectory(path);
            }

            string key = Path.Combine(directory, session.ToString());
            if (!File.Exists(key))
            {
                Link(directory, key, node);
            }

            return Owner(key) is not { } owner ? ArbiterAnswer.Unreachable
                : owner == node ? Settled(directory)
                : ArbiterAnswer.Refused;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return ArbiterAnswer.Unreachable;
        }
    }

    /// <summary>The node that a key names; null when that can't be told.</summary>
    internal static NodeId? Owner(string key)
    {
        string text;
        try
        {
            text = File.ReadAllText(key);
        }
        catch (FileNotFoundException)
        {
            return null;
        }

        string[] lines = text.Split('\n');
        bool whole = lines.Length == 4 && lines[0] == Format && lines[2] == "end" && lines[3].Length == 0;
        return whole && Guid.TryParseExact(lines[1], "D", out Guid owner) ? new NodeId(owner) : null;
    }

    private static ArbiterAnswer Settled(string directory)
    {
        // An earlier claim of this node may have ended between the link and the flush of its name.
        DurableFile.FlushDirectory(directory);
        return ArbiterAnswer.Granted;
    }

    private static void Link(string directory, string key, NodeId node)
    {
        string temporary = Path.Combine(directory, $".{node}.{Guid.NewGuid():n}.tmp");
        try
        {
            DurableFile.WriteFlushed(temporary, Encoding.ASCII.GetBytes($"{Format}\n{node}\nend\n"), Mode);
            // Its result is not looked at: the key says who won.
            _ = Syscall.link(temporary, key);
        }
        finally
        {
            _ = Syscall.unlink(temporary);
        }
    }
}
