using System.Security.Cryptography;
using System.Text;

namespace MirrorD.Fuzz.Running;

/// <summary>
/// Inputs in files, in hexadecimal digits: 32 bytes a line. A file's name is the begin of the SHA-256 of the input.
/// </summary>
public static class Corpus
{
    private const int BytesALine = 32;

    /// <summary>All inputs of a directory, in the order of their names; none when there is no such directory.</summary>
    public static List<byte[]> Load(string directory) => !Directory.Exists(directory) ? []
        : [.. Directory.GetFiles(directory, "*.hex").Order(StringComparer.Ordinal).Select(Read)];

    /// <summary>Reads one input.</summary>
    public static byte[] Read(string file) =>
        Convert.FromHexString(
            string.Concat(File.ReadLines(file).Where(line => !line.StartsWith('#')).Select(line => line.Trim())));

    /// <summary>Writes an input; the file's path.</summary>
    public static string Write(string directory, byte[] input, string? note = null)
    {
        Directory.CreateDirectory(directory);
        string path = Path.Combine(directory, NameOf(input));
        var text = new StringBuilder();
        if (note is not null)
        {
            text.Append("# ").Append(note.ReplaceLineEndings(" ")).Append('\n');
        }

        foreach (byte[] line in input.Chunk(BytesALine))
        {
            text.Append(Convert.ToHexStringLower(line)).Append('\n');
        }

        File.WriteAllText(path, text.ToString());
        return path;
    }

    private static string NameOf(byte[] input) => Convert.ToHexStringLower(SHA256.HashData(input))[..16] + ".hex";
}
