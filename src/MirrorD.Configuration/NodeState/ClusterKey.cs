namespace MirrorD.Configuration.NodeState;

/// <summary>
/// The key that the nodes share: 32 random bytes, in a file as one line of 64 hexadecimal digits.
/// </summary>
public static class ClusterKey
{
    /// <summary>Length of the key.</summary>
    public const int LengthBytes = 32;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

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
                "copy the file from another node of the cluster");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException(
                $"the key {path} can't be read: {failed.Message.TrimEnd('.')}", "run this as root");
        }
    }
}
