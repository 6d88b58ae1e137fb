using System.Text.RegularExpressions;
using MirrorD.Formats.Watch;

namespace MirrorD.Formats.Tests.Watch;

/// <summary>docs/internals/watch-protocol.md and the codecs hold each other.</summary>
public partial class WatchProtocolPageTests
{
    private static readonly FormatPage s_page = new("watch-protocol.md");

    [Fact]
    public void The_fields_of_the_header_stand_where_the_page_says()
    {
        WatchHeader header = SampleWatch.Header;
        Assert.Equal(["magic", "version", "reserved"], Check(
            s_page.Fields("### Header", WatchHeader.Bytes),
            Encode(header),
            new Dictionary<string, byte[]>
            {
                ["type"] = Encode(header with { Type = WatchDatagramType.Control }),
                ["path"] = Encode(header with { Path = (ushort)~header.Path }),
                ["node"] = Encode(header with { Node = new NodeId(Guid.AllBitsSet) }),
                ["boot"] = Encode(header with { Boot = new BootId(Guid.AllBitsSet) }),
                ["instance"] = Encode(header with { Instance = ~header.Instance }),
                ["challenge"] = Encode(header with { Challenge = ~header.Challenge }),
                ["echo"] = Encode(header with { Echo = ~header.Echo }),
                ["newcomer-echo"] = Encode(header with { NewcomerEcho = ~header.NewcomerEcho }),
                ["sequence"] = Encode(header with { Sequence = ~header.Sequence }),
                ["sent"] = Encode(header with { SentNs = ~header.SentNs }),
                ["body-bytes"] = Encode(header, 0xffff),
                ["flags"] = Encode(header with { HearsReceiver = false }),
            }));
    }

    [Fact]
    public void The_fields_of_an_entry_stand_where_the_page_says()
    {
        HeartbeatEntry entry = SampleWatch.Mail;
        Assert.Equal(["reserved"], Check(
            s_page.Fields("### Heartbeat", HeartbeatEntry.Bytes),
            Encode(entry),
            new Dictionary<string, byte[]>
            {
                ["resource"] = Encode(entry with { Resource = new ResourceHash(~entry.Resource.Value) }),
                ["role"] = Encode(entry with { Role = Role.Standby }),
                ["disk-state"] = Encode(entry with { DiskState = DiskState.Failed }),
                ["flags"] = Encode(entry with { IsStuck = true }),
                ["session"] = Encode(entry with { Session = new SessionId(~entry.Session.Value) }),
                ["promotions"] = Encode(entry with { Promotions = ~entry.Promotions }),
            }));
    }

    [Fact]
    public void The_example_is_what_the_codec_writes()
    {
        string hex = s_page.HexDigits("## Datagrams");
        Assert.Equal(
            SampleWatch.Heartbeat(SampleWatch.Header, SampleWatch.Mail, SampleWatch.Www),
            SampleWatch.Bytes(hex));
    }

    [Fact]
    public void The_kinds_and_fields_of_messages_are_those_of_the_codec()
    {
        MatchCollection rows = MessageRow().Matches(s_page.Section("### Control"));
        Assert.Equal(
            SampleWatch.Messages.Select(m => (m.Message.GetType().Name, (int)SampleWatch.Bytes(m.Hex)[8])),
            rows.Select(r => (r.Groups[2].Value, int.Parse(r.Groups[1].Value))));
        foreach ((Match row, string hex) in rows.Zip(SampleWatch.Messages.Select(m => m.Hex)))
        {
            byte[] sample = SampleWatch.Bytes(hex);
            int at = 9;
            foreach (string field in row.Groups[3].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                at += FormatPage.LengthOf(field.Split(':')[1], sample.AsSpan(at));
            }

            Assert.Equal(sample.Length, at);
        }
    }

    [Fact]
    public void The_answers_are_those_of_the_code() => Assert.Equal(
        Enum.GetValues<OutdateAnswer>().Select(a => ((int)a, a.ToString())),
        AnswerRow().Matches(s_page.Section("#### Answers"))
            .Select(m => (int.Parse(m.Groups[1].Value), m.Groups[2].Value)));

    [Fact]
    public void The_limits_are_those_of_the_code()
    {
        Assert.Contains($"at most {WatchDatagram.MaxBytes} bytes", s_page.Text);
        Assert.Contains($"up to {HeartbeatEntry.MaxEntries} entries", s_page.Text);
    }

    /// <summary>
    /// Each change touches exactly the field's bytes; returns the names of the fields without a change.
    /// </summary>
    private static string[] Check(List<PageField> fields, byte[] before, Dictionary<string, byte[]> changes)
    {
        foreach ((string name, byte[] after) in changes)
        {
            PageField field = Assert.Single(fields, f => f.Name == name);
            int[] touched = [.. Enumerable.Range(0, before.Length).Where(i => before[i] != after[i])];
            Assert.NotEmpty(touched);
            Assert.All(touched, at => Assert.InRange(at, field.Offset, field.Offset + field.Bytes - 1));
            Assert.True(field.Bytes < 8 || touched.Length == field.Bytes, name);
        }

        return [.. fields.Select(f => f.Name).Except(changes.Keys).Distinct()];
    }

    private static byte[] Encode(WatchHeader header, int bodyBytes = 0)
    {
        byte[] to = new byte[WatchHeader.Bytes];
        header.Encode(to, bodyBytes);
        return to;
    }

    private static byte[] Encode(HeartbeatEntry entry)
    {
        byte[] to = new byte[HeartbeatEntry.Bytes];
        entry.Encode(to);
        return to;
    }

    [GeneratedRegex(@"^\| (\d+) \| ([A-Za-z]+) \|([^|]*)\|[^|]*\|$", RegexOptions.Multiline)]
    private static partial Regex MessageRow();

    [GeneratedRegex(@"^\| (\d+) \| ([A-Za-z]+) \|", RegexOptions.Multiline)]
    private static partial Regex AnswerRow();
}
