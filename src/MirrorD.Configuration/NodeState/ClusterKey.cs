using System.Security.Cryptography;
using System.Text;

namespace MirrorD.Configuration.NodeState;

/// <summary>
/// The key that the nodes share: 32 random bytes, in a file as one line of 64 hexadecimal digits.
/// </summary>
public static class ClusterKey
{
    /// <summary>Length of the key.</summary>
    public const int LengthBytes = 32;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes a new key; never overwrites one.</summary>
    /// <exception cref="NodeStateException">There is a file already, or it can't be written.</exception>
    public static void Generate(string path)
    {
        string line = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(LengthBytes)) + "\n";
        bool made;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            made = DurableFile.TryCreate(path, Encoding.ASCII.GetBytes(line), OwnerOnly);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException(
                $"the key {path} can't be written: {failed.Message.TrimEnd('.')}",
                "run this as root, or name another file with --out");
        }

        if (!made)
        {
            throw new NodeStateException(
                $"{path} exists already, and without it the other node refuses this one",
                "keep it; to change the key on purpose, move the file away on both nodes first");
        }
    }

    /// <summary>Reads the key.</summary>
    /// <exception cref="NodeStateException">It is missing, damaged, or readable for others.</exception>
    public static byte[] Load(string path)
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

            string text = File.ReadAllText(path).Trim();
            return text.Length == 2 * LengthBytes && text.All(char.IsAsciiHexDigit)
                ? Convert.FromHexString(text)
                : throw new NodeStateException(
                    $"the key {path} is damaged: it is not one line of {2 * LengthBytes} hexadecimal digits",
                    "copy the file from the other node");
        }
        catch (Exception failed) when (failed is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new NodeStateException(
                $"there is no cluster key {path}",
                "make one with 'mirrorctl keygen' and copy the file to the other node");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException(
                $"the key {path} can't be read: {failed.Message.TrimEnd('.')}", "run this as root");
        }
    }
}
