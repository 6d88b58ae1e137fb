namespace MirrorD.Lab.Pairs;

/// <summary>One call of the notification command, as it wrote it down.</summary>
/// <param name="Class">Class of the event, e.g. "anomaly".</param>
/// <param name="Kind">What happened, e.g. "path-lost".</param>
/// <param name="Message">The sentence for a reader.</param>
public sealed record Notification(string Class, string Kind, string Message)
{
    /// <summary>The command for a node's configuration: one line for each call.</summary>
    internal static string Command(string path) =>
        $"echo \"$MIRRORD_CLASS $MIRRORD_EVENT $MIRRORD_MESSAGE\" >>{path}";

    /// <summary>All calls so far, in order.</summary>
    internal static IReadOnlyList<Notification> Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        // Its last line may be only half there.
        string text = File.ReadAllText(path);
        string[] lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => line.Split(' ', 3)).Select(words => new Notification(words[0], words[1], words[2]))];
    }
}
