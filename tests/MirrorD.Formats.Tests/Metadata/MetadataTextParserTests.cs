using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Tests.Metadata;

public class MetadataTextParserTests
{
    private static readonly string Dump = MetadataInspectorTests.Dump(MetadataInspectorTests.Sample());

    [Theory]
    [InlineData("mirrord-metadata: 1", "mirrord-metadata: 2", "line 1: a dump of version 2")]
    [InlineData("promotions: 7", "promotions: -7", "line 19: -7 is not a number")]
    [InlineData("promotions: 7", "promotions", "line 19: not a 'key: value' line")]
    [InlineData("promotions: 7", "promotions: 7\npromotions: 8", "line 20: promotions stands there twice")]
    [InlineData("promotions: 7\n", "", "promotions is missing")]
    [InlineData("promotions: 7", "promotions: 7\ncolour: red", "unknown key colour")]
    [InlineData("proof: ArbiterGrant", "proof: Luck", "proof: Luck is not known")]
    [InlineData("proof: ArbiterGrant", "proof: 2", "proof: 2 is not known")]
    [InlineData("disk-state: UpToDate", "disk-state: 9", "disk-state: 9 is not known")]
    [InlineData("current: 1111111111111111", "current: 111", "111 is not an identifier")]
    [InlineData("node: a0a1a2a3", "node: zz", "node is not a UUID")]
    [InlineData("flags: peer-excluded", "flags: peer-included", "flags: peer-included is not known")]
    [InlineData("data-bytes: 1073741824", "data-bytes: 1073741825", "data-bytes is out of range")]
    [InlineData("data-bytes: 1073741824", "data-bytes: 9999999999999999999", "not a number")]
    [InlineData("resource-name: mail", "resource-name: \\u00", "is not a name")]
    [InlineData("resource-name: mail", "resource-name: \\u0000", "resource-name is out of range")]
    [InlineData("active-extents: 0 1 17", "active-extents: 0 17 1", "ascending")]
    [InlineData("active-extents: 0 1 17", "active-extents: 0 1 4294967296", "not a number")]
    [InlineData("log-sequence: 66", "log-sequence: 0", "log-sequence begins at 1")]
    [InlineData("dirty: 0+1", "dirty: 0", "line 29: dirty blocks are written as first+count")]
    [InlineData("dirty: 0+1", "dirty: 0+0", "line 29: 0+0 does not lie inside")]
    [InlineData("dirty: 262141+3", "dirty: 262141+4", "line 32: 262141+4 does not lie inside")]
    [InlineData("dirty: 0+1", "dirty: 0+9223372036854775807", "does not lie inside")]
    [InlineData("dirty: 0+1\n", "", "the dirty blocks add up to 11 of 262144, not 12 of 262144")]
    [InlineData("end: mirrord-metadata\n", "", "the dump is not complete")]
    [InlineData("end: mirrord-metadata", "end: mirrord-metadata\nmore: 1", "text after the end")]
    public void What_is_wrong_with_a_dump_is_named(string from, string to, string expected)
    {
        Assert.Contains(from, Dump);
        var failure = Assert.Throws<FormatException>(
            () => MetadataTextParser.Parse(new StringReader(Dump.Replace(from, to))));
        Assert.Contains(expected, failure.Message);
    }

    [Fact]
    public void A_dump_that_was_cut_anywhere_is_not_restored()
    {
        for (int length = 0; length < Dump.Length - 1; length++)
        {
            var failure = Record.Exception(() => MetadataTextParser.Parse(new StringReader(Dump[..length])));
            Assert.True(failure is FormatException, $"cut at {length}: {failure}");
        }
    }

    [Fact]
    public void Changed_text_is_either_refused_or_understood()
    {
        var random = new Random(9);
        for (int round = 0; round < 3000; round++)
        {
            char[] text = Dump.ToCharArray();
            text[random.Next(text.Length)] = (char)random.Next(32, 127);
            try
            {
                MetadataImage image = MetadataTextParser.Parse(new StringReader(new string(text)));
                Assert.Null(SuperblockCodec.FirstFieldOutOfRange(image.Superblock));
            }
            catch (FormatException)
            {
                // Refused with a reason.
            }
        }
    }
}
