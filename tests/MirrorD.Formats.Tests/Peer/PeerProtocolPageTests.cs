using System.Text;
using System.Text.RegularExpressions;
using MirrorD.Formats.Peer;

namespace MirrorD.Formats.Tests.Peer;

/// <summary>docs/internals/peer-protocol.md and the codecs hold each other.</summary>
public partial class PeerProtocolPageTests
{
    private static readonly FormatPage s_page = new("peer-protocol.md");

    [Fact]
    public void The_fields_of_the_header_stand_where_the_page_says()
    {
        List<PageField> fields = s_page.Fields("## Frames", PeerFrame.HeaderBytes);
        byte[] before = SamplePeer.WriteBytes();
        PeerFrame frame = SamplePeer.Write;
        var changes = new Dictionary<string, byte[]>
        {
            ["type"] = SamplePeer.Encode(frame with { Type = PeerFrameType.Ping }),
            ["flags"] = SamplePeer.Encode(frame with { Flags = (PeerFrameFlags)0xfefe }),
            ["session"] = SamplePeer.Encode(frame with { Session = new SessionId(~frame.Session.Value) }),
            ["sequence"] = SamplePeer.Encode(frame with { Sequence = ~frame.Sequence }),
            ["offset"] = SamplePeer.Encode(frame with { Offset = ~frame.Offset }),
            ["range-bytes"] = SamplePeer.Encode(frame with { RangeBytes = ~frame.RangeBytes }),
            ["payload-bytes"] = SamplePeer.Encode(frame with { PayloadBytes = ~frame.PayloadBytes }),
            ["payload-tag"] = SamplePeer.Encode(
                frame with { PayloadTag = new PayloadTag(~frame.PayloadTag.First, ~frame.PayloadTag.Last) }),
            ["volume"] = SamplePeer.Encode(frame with { Volume = (ushort)~frame.Volume }),
        };
        string[] derived = ["tag"];
        string[] constant = ["magic", "version", "reserved"];
        Assert.Equal(
            fields.Select(f => f.Name).Except([.. derived, .. constant]).Order(), changes.Keys.Order());
        foreach ((string name, byte[] after) in changes)
        {
            PageField field = Assert.Single(fields, f => f.Name == name);
            int[] expected = [.. Enumerable.Range(field.Offset, field.Bytes)];
            Assert.Equal(expected, Differences(before, after).Where(at => at < 56));
        }

        byte[] renumbered = new byte[PeerFrame.HeaderBytes];
        frame.Encode(renumbered, SamplePeer.HeaderKey, SamplePeer.FrameNumber + 1);
        PageField tag = Assert.Single(fields, f => f.Name == "tag");
        Assert.All(Differences(before, renumbered), at => Assert.True(IsIn(at, tag)));
    }

    [Fact]
    public void The_fields_of_the_hello_stand_where_the_page_says()
    {
        List<PageField> fields = s_page.Fields("### Hello", PeerHello.Bytes);
        byte[] bytes = SamplePeer.Encode(SamplePeer.Connector);
        Assert.Equal(PeerHello.Magic, BitConverter.ToUInt32(bytes, At("magic", 4)));
        Assert.Equal(PeerHello.LowestVersion, BitConverter.ToUInt16(bytes, At("lowest-version", 2)));
        Assert.Equal(PeerHello.HighestVersion, BitConverter.ToUInt16(bytes, At("highest-version", 2)));
        var node = new Guid(bytes.AsSpan(At("node", 16), 16), bigEndian: true);
        Assert.Equal(SamplePeer.Connector.Node.Value, node);
        Assert.Equal(SamplePeer.Connector.Challenge.ToArray(), bytes[At("challenge", 32)..][..32]);
        Assert.Equal("mail", Encoding.UTF8.GetString(bytes, At("resource", 64), 64).TrimEnd('\0'));
        Assert.Equal(1u, BitConverter.ToUInt32(bytes, At("flags", 4)));
        Assert.Equal(Crc32C.Compute(bytes.AsSpan(0, 124)), BitConverter.ToUInt32(bytes, At("checksum", 4)));

        int At(string name, int length)
        {
            PageField field = Assert.Single(fields, f => f.Name == name);
            Assert.Equal(length, field.Bytes);
            return field.Offset;
        }
    }

    [Fact]
    public void The_example_is_what_the_codec_writes()
    {
        string hex = s_page.HexDigits("## Frames");
        Assert.Equal(SamplePeer.WriteBytes(), SamplePeer.Bytes(hex));
    }

    [Fact]
    public void The_types_of_frames_are_those_of_the_code()
    {
        IEnumerable<(int, string)> listed = NumberedRow().Matches(s_page.Section("## Frames"))
            .Where(m => char.IsAsciiLetterUpper(m.Groups[2].Value[0]))
            .Select(m => (int.Parse(m.Groups[1].Value), m.Groups[2].Value));
        Assert.Equal(Enum.GetValues<PeerFrameType>().Select(t => ((int)t, t.ToString())), listed);
    }

    [Fact]
    public void The_kinds_and_fields_of_messages_are_those_of_the_codec()
    {
        MatchCollection rows = MessageRow().Matches(s_page.Section("## Control messages"));
        Assert.Equal(
            SamplePeer.Messages.Select(m => (m.Message.GetType().Name, (int)SamplePeer.Bytes(m.Hex)[0])),
            rows.Select(r => (r.Groups[2].Value, int.Parse(r.Groups[1].Value))));
        foreach (Match row in rows)
        {
            string hex = SamplePeer.Messages.Single(m => m.Message.GetType().Name == row.Groups[2].Value).Hex;
            byte[] sample = SamplePeer.Bytes(hex);
            int at = 1;
            foreach (string field in row.Groups[4].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                at += FormatPage.LengthOf(field.Split(':')[1], sample.AsSpan(at));
            }

            Assert.True(
                at == sample.Length, $"{row.Groups[2].Value}: {at} of {sample.Length} bytes have a field");
        }
    }

    [Fact]
    public void The_diagrams_name_frames_and_messages_that_exist()
    {
        string[] known =
        [
            .. SamplePeer.Messages.Select(m => m.Message.GetType().Name), .. Enum.GetNames<PeerFrameType>(),
        ];
        string[] joining = [.. Arrow().Matches(s_page.Section("### Joining")).Select(m => m.Groups[1].Value)];
        Assert.All(joining, name => Assert.Contains(name, known));
        string[] ofJoining = [.. SamplePeer.Messages.Take(9).Select(m => m.Message.GetType().Name)];
        Assert.Equal(ofJoining, joining.Intersect(ofJoining));
    }

    [Fact]
    public void The_labels_of_the_keys_are_those_of_the_code()
    {
        string source = File.ReadAllText(
            Path.Combine(FormatPage.RepositoryRoot(), "src", "MirrorD.Formats", "Peer", "LinkKeys.cs"));
        string[] listed = [.. Label().Matches(s_page.Section("### Keys")).Select(m => m.Groups[1].Value)];
        Assert.Equal(
            Derivation().Matches(source).Select(m => m.Groups[1].Value).Order(), listed.Order());
        Assert.Contains("\"mirrord link 2: \"", source);
        Assert.Contains("`mirrord link 2: `", s_page.Text);
    }

    private static bool IsIn(int at, PageField field) =>
        at >= field.Offset && at < field.Offset + field.Bytes;

    private static IEnumerable<int> Differences(byte[] one, byte[] other) =>
        Enumerable.Range(0, one.Length).Where(i => one[i] != other[i]);

    [GeneratedRegex(@"^\| (\d+) \| ([A-Za-z]+) \|", RegexOptions.Multiline)]
    private static partial Regex NumberedRow();

    [GeneratedRegex(@"^\| (\d+) \| ([A-Za-z]+) \| ([a-z]+) \|([^|]*)\|$", RegexOptions.Multiline)]
    private static partial Regex MessageRow();

    [GeneratedRegex(@"^\s+[ST]->>[ST]: (\w+)$", RegexOptions.Multiline)]
    private static partial Regex Arrow();

    [GeneratedRegex(@"^\| `([a-z ]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Label();

    [GeneratedRegex(@"Derive\(secret, ""([a-z ]+)""")]
    private static partial Regex Derivation();
}
