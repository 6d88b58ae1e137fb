using System.Text;
using System.Text.Json;
using MirrorD.Api;

namespace MirrorD.Daemon.Events;

/// <summary>
/// What happened, a JSON object a line. When the file is full it becomes events.jsonl.1 and a new one begins,
/// so that two files of bounded size are kept.
/// </summary>
internal sealed class EventFile(string path, long fullBytes)
{
    private string Older => path + ".1";

    /// <summary>
    /// The last events, oldest first; lines that can't be read, such as a torn last one, are left out.
    /// </summary>
    public IReadOnlyList<EventReport> ReadLast(int count)
    {
        var events = new List<EventReport>();
        foreach (string file in (string[])[Older, path])
        {
            if (File.Exists(file))
            {
                events.AddRange(File.ReadLines(file).Select(Parse).OfType<EventReport>());
            }
        }

        return events.Count <= count ? events : events[^count..];
    }

    /// <summary>Appends events and puts them on stable storage.</summary>
    /// <exception cref="IOException">Storage failed.</exception>
    public void Append(IEnumerable<EventReport> events)
    {
        var lines = new StringBuilder();
        foreach (EventReport happened in events)
        {
            lines.Append(JsonSerializer.Serialize(happened, ApiJson.Compact.EventReport)).Append('\n');
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

    private static EventReport? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ApiJson.Compact.EventReport);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
