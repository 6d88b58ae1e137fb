using System.Globalization;
using System.Text;

namespace MirrorD.Daemon.Notifications;

/// <summary>
/// A notification as a mail (RFC 5322) for "sendmail -t". What comes from elsewhere (messages quote peers and
/// programs) is put into a header only as one line of printable ASCII, so that it can't add headers or
/// receivers.
/// </summary>
internal static class MailText
{
    private const int LongestSubject = 150;

    // RFC 5322, section 2.1.1: at most 998 bytes a line; a character takes up to 4.
    private const int LongestLine = 200;

    /// <summary>Headers, an empty line, body; lines end with a line feed.</summary>
    public static string Of(Notification told, IReadOnlyList<string> receivers)
    {
        string resource = told.Event.Resource is { } name ? $" {name}" : "";
        var text = new StringBuilder();
        Header(text, "From", $"mirrord@{told.Node}");
        Header(text, "To", string.Join(", ", receivers));
        Header(text, "Subject", $"[mirrord] {told.Node}{resource}: {FirstSentence(told)}");
        Header(text, "Date", told.Event.At.UtcDateTime.ToString(
            "ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture));
        Header(text, "Auto-Submitted", "auto-generated");
        Header(text, "MIME-Version", "1.0");
        Header(text, "Content-Type", "text/plain; charset=utf-8");
        Header(text, "Content-Transfer-Encoding", "8bit");
        text.Append('\n');
        Wrapped(text, told.Message);
        text.Append('\n');
        text.Append("Event: ").Append(told.Event.Kind).Append(" (").Append(told.Event.Class).Append(")\n");
        text.Append("Time:  ").Append(told.Time).Append('\n');
        text.Append("Node:  ").Append(told.Node).Append('\n');
        if (told.State is { } state)
        {
            Wrapped(text, "State: " + Notification.OneLine(state, 1000));
        }

        if (told.DroppedBefore > 0)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"\n{told.DroppedBefore} notifications before this one were dropped, as too many waited.\n");
        }

        text.Append("\nSee: ");
        text.Append(told.Event.Resource is { } about ? $"mirrorctl explain {about}" : "mirrorctl status");
        return text.Append("\n     mirrorctl events\n").ToString();
    }

    /// <summary>The first sentence of the message, without the resource's name before it.</summary>
    private static string FirstSentence(Notification told)
    {
        string message = told.Message;
        if (told.Event.Resource is { } name && message.StartsWith($"{name}: ", StringComparison.Ordinal))
        {
            message = message[(name.Length + 2)..];
        }

        int end = message.IndexOf(". ", StringComparison.Ordinal);
        string sentence = (end < 0 ? message : message[..end]).TrimEnd('.');
        return sentence.Length <= LongestSubject ? sentence : sentence[..LongestSubject];
    }

    private static void Header(StringBuilder text, string name, string value)
    {
        text.Append(name).Append(": ");
        foreach (char c in value)
        {
            text.Append(c is >= ' ' and <= '~' ? c : '?');
        }

        text.Append('\n');
    }

    private static void Wrapped(StringBuilder text, string line)
    {
        while (line.Length > LongestLine)
        {
            int blank = line.LastIndexOf(' ', LongestLine);
            int end = blank > 0 ? blank : LongestLine;
            text.Append(line.AsSpan(0, end)).Append('\n');
            line = line[end..].TrimStart();
        }

        text.Append(line).Append('\n');
    }
}
