using System.Text.RegularExpressions;
using MirrorD.Formats.Watch;

namespace MirrorD.Formats.Tests.Watch;

/// <summary>docs/internals/watch-protocol.md and the codecs hold each other.</summary>
public partial class WatchProtocolPageTests
{
    private static readonly string Page = File.ReadAllText(
        Path.Combine(RepositoryRoot(), "docs", "internals", "watch-protocol.md"));

    private sealed record Field(int Offset, int Bytes, string Name);

    [Fact]
    public void The_fields_of_the_header_stand_where_the_page_says()
    {
        WatchHeader header = SampleWatch.Header;
        Assert.Equal(["magic", "version", "reserved"], Check(
            Fields("### Header", WatchHeader.Bytes),
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
            Fields("### Heartbeat", HeartbeatEntry.Bytes),
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
        string hex = string.Concat(HexLine().Matches(Page).Select(m => m.Groups[1].Value));
        Assert.Equal(
            SampleWatch.Heartbeat(SampleWatch.Header, SampleWatch.Mail, SampleWatch.Www),
            SampleWatch.Bytes(hex));
    }

    [Fact]
    public void The_kinds_and_fields_of_messages_are_those_of_the_codec()
    {
        MatchCollection rows = MessageRow().Matches(Section("### Control"));
        Assert.Equal(
            SampleWatch.Messages.Select(m => (m.Message.GetType().Name, (int)SampleWatch.Bytes(m.Hex)[8])),
            rows.Select(r => (r.Groups[2].Value, int.Parse(r.Groups[1].Value))));
        foreach ((Match row, string hex) in rows.Zip(SampleWatch.Messages.Select(m => m.Hex)))
        {
            byte[] sample = SampleWatch.Bytes(hex);
            int at = 9;
            foreach (string field in row.Groups[3].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                at += LengthOf(field.Split(':')[1], sample.AsSpan(at));
            }

            Assert.Equal(sample.Length, at);
        }
    }

    [Fact]
    public void The_answers_are_those_of_the_code() => Assert.Equal(
        Enum.GetValues<OutdateAnswer>().Select(a => ((int)a, a.ToString())),
        AnswerRow().Matches(Section("#### Answers"))
            .Select(m => (int.Parse(m.Groups[1].Value), m.Groups[2].Value)));

    [Fact]
    public void The_limits_are_those_of_the_code()
    {
        Assert.Contains($"at most {WatchDatagram.MaxBytes} bytes", Page);
        Assert.Contains($"up to {HeartbeatEntry.MaxEntries} entries", Page);
    }

    /// <summary>
    /// Each change touches exactly the field's bytes; returns the names of the fields without a change.
    /// </summary>
    private static string[] Check(List<Field> fields, byte[] before, Dictionary<string, byte[]> changes)
    {
        foreach ((string name, byte[] after) in changes)
        {
            Field field = Assert.Single(fields, f => f.Name == name);
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

    private static int LengthOf(string type, ReadOnlySpan<byte> rest) => type switch
    {
        "u8" or "flag" => 1,
        "u64" => 8,
        "generations" => 1 + (8 * rest[0]),
        _ => throw new ArgumentException($"the page has no type {type}"),
    };

    private static List<Field> Fields(string heading, int wholeBytes)
    {
        List<Field> fields =
        [
            .. FieldRow().Matches(Section(heading)).Select(m => new Field(
                int.Parse(m.Groups[1].Value), int.Parse(m.Groups[2].Value), m.Groups[3].Value)),
        ];
        int end = 0;
        foreach (Field field in fields)
        {
            Assert.Equal(end, field.Offset);
            end += field.Bytes;
        }

        Assert.Equal(wholeBytes, end);
        return fields;
    }

    /// <summary>From the heading to the next one.</summary>
    private static string Section(string heading)
    {
        int begin = Page.IndexOf("\n" + heading + "\n", StringComparison.Ordinal);
        Assert.True(begin >= 0, $"the page has no {heading}");
        string rest = Page[(begin + 1 + heading.Length)..];
        Match end = Regex.Match(rest, "^##", RegexOptions.Multiline);
        return end.Success ? rest[..end.Index] : rest;
    }

    private static string RepositoryRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MirrorD.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName
            ?? throw new InvalidOperationException("The tests run outside of the repository.");
    }

    [GeneratedRegex(@"^\| (\d+) \| (\d+) \| ([a-z-]+) \|", RegexOptions.Multiline)]
    private static partial Regex FieldRow();

    [GeneratedRegex(@"^[0-9a-f]{4}:((?: [0-9a-f]{8}){4})$", RegexOptions.Multiline)]
    private static partial Regex HexLine();

    [GeneratedRegex(@"^\| (\d+) \| ([A-Za-z]+) \|([^|]*)\|[^|]*\|$", RegexOptions.Multiline)]
    private static partial Regex MessageRow();

    [GeneratedRegex(@"^\| (\d+) \| ([A-Za-z]+) \|", RegexOptions.Multiline)]
    private static partial Regex AnswerRow();
}
