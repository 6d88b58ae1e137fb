using System.Globalization;
using System.Text;
using MirrorD.Api;

namespace MirrorD.Daemon.Notifications;

/// <summary>What somebody is to be told.</summary>
/// <param name="Event">The event.</param>
/// <param name="Node">The node that tells.</param>
/// <param name="State">State of the resource at that time; null when unknown or not about one.</param>
internal sealed record Notification(EventReport Event, string Node, string? State)
{
    /// <summary>Kind of the one that an operator sends to see whether it arrives.</summary>
    public const string TestKind = "test";

    private const int LongestText = 4000;

    /// <summary>Earlier ones that were dropped as too many waited.</summary>
    public long DroppedBefore { get; init; }

    /// <summary>The moment in UTC, as in the API.</summary>
    public string Time =>
        Event.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The message as one line of bounded length.</summary>
    public string Message => OneLine(Event.Message, LongestText);

    /// <summary>One line: control characters, also those that end a line, are blanks.</summary>
    internal static string OneLine(string text, int most)
    {
        var line = new StringBuilder(Math.Min(text.Length, most));
        foreach (char c in text)
        {
            if (line.Length == most)
            {
                break;
            }

            // U+2028 and U+2029 end a line for some readers.
            line.Append(char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c);
        }

        return line.ToString().Trim();
    }
}
