using MirrorD.Api;
using MirrorD.Daemon.Notifications;

namespace MirrorD.Daemon.Tests.Notifications;

public class MailTextTests
{
    [Fact]
    public void A_mail_says_what_happened_when_and_where_to_look()
    {
        var told = new Notification(
            Event("mail: node b was lost on all paths. This node took over."), "a",
            "mail is degraded: Primary, copy UpToDate, link to b Disconnected");

        Assert.Equal(
            """
            From: mirrord@a
            To: root, admin@example.net
            Subject: [mirrord] a mail: node b was lost on all paths
            Date: Sat, 31 Jan 2026 12:00:00 +0000
            Auto-Submitted: auto-generated
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 8bit

            mail: node b was lost on all paths. This node took over.

            Event: takeover (takeover)
            Time:  2026-01-31T12:00:00.250Z
            Node:  a
            State: mail is degraded: Primary, copy UpToDate, link to b Disconnected

            See: mirrorctl explain mail
                 mirrorctl events

            """.ReplaceLineEndings("\n"),
            MailText.Of(told, ["root", "admin@example.net"]));
    }

    [Fact]
    public void What_concerns_the_node_names_no_resource()
    {
        string text = MailText.Of(
            new Notification(Event("Path lost.") with { Resource = null }, "a", null), ["root"]);

        Assert.Contains("\nSubject: [mirrord] a: Path lost\n", text);
        Assert.DoesNotContain("State:", text);
        Assert.EndsWith("See: mirrorctl status\n     mirrorctl events\n", text);
    }

    [Theory]
    [InlineData("x\nBcc: evil@example.net")]
    [InlineData("x\r\nBcc: evil@example.net\r\n\r\nbody")]
    [InlineData("x\rBcc: evil@example.net")]
    [InlineData("x\u2028Bcc: evil@example.net\u0085Cc: evil@example.net\0\v\f")]
    public void A_message_can_add_neither_headers_nor_lines(string message)
    {
        string text = MailText.Of(
            new Notification(Event(message), "a", "s\nBcc: evil@example.net"), ["root"]);

        string[] headers = text[..text.IndexOf("\n\n", StringComparison.Ordinal)].Split('\n');
        Assert.Equal(
            ["From", "To", "Subject", "Date", "Auto-Submitted", "MIME-Version", "Content-Type",
            "Content-Transfer-Encoding"],
            headers.Select(header => header.Split(':')[0]));
        Assert.DoesNotContain(text, c => char.IsControl(c) && c != '\n');
        Assert.DoesNotContain(text.Split('\n'), line => line.StartsWith("Bcc") || line.StartsWith("Cc"));
    }

    [Fact]
    public void Headers_are_ascii_and_no_line_is_too_long()
    {
        string words = string.Join(' ', Enumerable.Repeat("wort", 200));
        string text = MailText.Of(
            new Notification(Event($"ä – {new string('ü', 2000)} {words}"), "a", null), ["root"]);

        Assert.Contains("Subject: [mirrord] a mail: ? ? ??", text);
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 220, line));
        Assert.Contains("ä –", text);
    }

    [Fact]
    public void Dropped_ones_are_told()
    {
        var told = new Notification(Event("M."), "a", null) { DroppedBefore = 17 };

        Assert.Contains("\n17 notifications before this one were dropped", MailText.Of(told, ["root"]));
    }

    internal static EventReport Event(string message) => new()
    {
        Sequence = 5,
        At = new DateTimeOffset(2026, 1, 31, 12, 0, 0, 250, TimeSpan.Zero),
        Resource = "mail",
        Kind = "takeover",
        Class = EventClass.Takeover,
        Message = message,
    };
}
