namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>Files of /proc and /sys, which may go while they are looked at.</summary>
internal static class SystemFile
{
    /// <summary>The text, or null when it is not there or can't be read.</summary>
    public static string? TryRead(string path) => Try(() => File.ReadAllText(path));

    /// <summary>Target of a link of /proc, unresolved, or null.</summary>
    public static string? TryReadLink(string path) => Try(() => new FileInfo(path).LinkTarget);

    /// <summary>Paths in a directory, or none.</summary>
    public static IReadOnlyList<string> List(string directory) =>
        Try(() => Directory.GetFileSystemEntries(directory)) ?? [];

    /// <summary>
    /// A path from one of the kernel's tables, where blanks and backslashes are \ and three octal digits.
    /// </summary>
    public static string Unescape(string path)
    {
        // Escapes stand for bytes, of which several may make one character.
        var bytes = new List<byte>(path.Length);
        ReadOnlySpan<byte> rest = System.Text.Encoding.UTF8.GetBytes(path);
        while (!rest.IsEmpty)
        {
            bool isEscape = rest.Length >= 4 && rest[0] == '\\'
                && !rest[1..4].ContainsAnyExceptInRange((byte)'0', (byte)'7');
            bytes.Add(isEscape
                ? (byte)(((rest[1] - '0') << 6) | ((rest[2] - '0') << 3) | (rest[3] - '0'))
                : rest[0]);
            rest = rest[(isEscape ? 4 : 1)..];
        }

        return System.Text.Encoding.UTF8.GetString([.. bytes]);
    }

    private static T? Try<T>(Func<T?> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
