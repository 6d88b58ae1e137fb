using System.Text;

namespace MirrorD.Configuration.NodeState;

/// <summary>
/// The keys of the datagrams that the nodes share, 32 random bytes each; in a file as lines of 64 hexadecimal digits, the one
/// that is sent with first. A second one is there while keys are exchanged: it is accepted, too.
/// </summary>
/// <param name="Sending">What is sent is authenticated with it.</param>
/// <param name="Accepted">What arrives may also be authenticated with this one; null: with the first one only.</param>
public sealed record ClusterKeys(byte[] Sending, byte[]? Accepted = null)
{
    /// <summary>Length of a key.</summary>
    public const int LengthBytes = 32;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>What arrives with this key is accepted.</summary>
    public bool Accepts(ReadOnlySpan<byte> key) => key.SequenceEqual(Sending) || (Accepted is not null && key.SequenceEqual(Accepted));

    /// <summary>Reads the file.</summary>
    /// <exception cref="NodeStateException">It is missing, damaged, or readable for others.</exception>
    public static ClusterKeys Load(string path)
    {
        try
        {
            UnixFileMode mode = File.GetUnixFileMode(path);
            if ((mode & ~OwnerOnly & ~UnixFileMode.GroupRead) != 0)
            {
                throw new NodeStateException(
                    $"the key {path} is open to others (mode {Convert.ToString((int)mode, 8)})",
                    $"chmod 600 {path}");
            }

            byte[]?[] keys = [.. File.ReadAllText(path).TrimEnd('\n').Split('\n').Select(Parse)];
            return keys is [{ } only] ? new ClusterKeys(only)
                : keys is [{ } sending, { } accepted] ? new ClusterKeys(sending, accepted)
                : throw new NodeStateException(
                    $"the key {path} is damaged: it is not one line, or two, of {2 * LengthBytes} hexadecimal digits",
                    "copy the file from the other node");
        }
        catch (Exception failed) when (failed is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new NodeStateException(
                $"there is no cluster key {path}",
                "copy the file from another node of the cluster");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException(
                $"the key {path} can't be read: {failed.Message.TrimEnd('.')}", "run this as root");
        }
    }

    /// <summary>Reads a key; null when it is none.</summary>
    public static byte[]? Parse(string text) =>
        text.Length == 2 * LengthBytes && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : null;

    /// <summary>Writes the file, in the place of a former one.</summary>
    /// <exception cref="NodeStateException">It can't be written.</exception>
    public void Save(string path)
    {
        string text = string.Concat(
            new[] { Sending, Accepted }.OfType<byte[]>().Select(key => Convert.ToHexStringLower(key) + "\n"));
        try
        {
            DurableFile.Replace(path, Encoding.ASCII.GetBytes(text), OwnerOnly);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException(
                $"{path} can't be written: {failed.Message.TrimEnd('.')}", "run this as root, and check the disk");
        }
    }
}
