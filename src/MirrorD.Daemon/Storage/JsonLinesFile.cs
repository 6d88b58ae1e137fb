using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace MirrorD.Daemon.Storage;

/// <summary>
/// Things that happened, a JSON object a line. When the file is full it becomes file.1 and a new one begins,
/// so that two files of bounded size are kept.
/// </summary>
internal sealed class JsonLinesFile<T>(string path, long fullBytes, JsonTypeInfo<T> type)
    where T : class
{
    private string Older => path + ".1";

    /// <summary>
    /// The last ones, oldest first; lines that can't be read, such as a torn last one, are left out.
    /// </summary>
    public IReadOnlyList<T> ReadLast(int count)
    {
        var lines = new List<T>();
        foreach (string file in (string[])[Older, path])
        {
            if (File.Exists(file))
            {
                lines.AddRange(File.ReadLines(file).Select(Parse).OfType<T>());
            }
        }

        return lines.Count <= count ? lines : lines[^count..];
    }

    /// <summary>Appends some and puts them on stable storage.</summary>
    /// <exception cref="IOException">Storage failed.</exception>
    public void Append(IEnumerable<T> added)
    {
        var lines = new StringBuilder();
        foreach (T one in added)
        {
            lines.Append(JsonSerializer.Serialize(one, type)).Append('\n');
        }

        using (var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read))
        {
            EndTornLine(file);
            file.Write(Encoding.UTF8.GetBytes(lines.ToString()));
            file.Flush(flushToDisk: true);
            if (file.Length < fullBytes)
            {
                return;
            }
        }

        File.Move(path, Older, overwrite: true);
    }

    private static void EndTornLine(FileStream file)
    {
        if (file.Length > 0)
        {
            file.Seek(-1, SeekOrigin.End);
            if (file.ReadByte() != '\n')
            {
                file.WriteByte((byte)'\n');
            }
        }
    }

    private T? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
