using MirrorD.Formats.Peer;

namespace MirrorD.Formats.Tests.Peer;

public class LinkKeysTests
{
    private static readonly byte[] Connector = SamplePeer.Encode(SamplePeer.Connector);
    private static readonly byte[] Listener = SamplePeer.Encode(SamplePeer.Listener);
    private static readonly LinkKeys Keys = new(SamplePeer.SharedKey, Connector, Listener);

    /// <summary>HMAC-SHA-256 computed by another program.</summary>
    [Fact]
    public void The_golden_values_come_out()
    {
        Assert.Equal(
            "69b5fd1e13f6ef6a0a0dce3c0b0147ca950649e2589bb92a123a50de9804ad84", Hex(Keys.ConnectorProof));
        Assert.Equal(
            "72f180348f710623e9f0a125d29c4e5cb41cf9ee8fa753a44eb4bd61e867609e", Hex(Keys.ListenerProof));
        Assert.Equal("eb232932632c01d75290af93f6bcd851", Hex(Keys.PayloadsFromConnector));
        Assert.Equal("0703a414b585c503af15cf852fd6a682", Hex(Keys.PayloadsFromListener));
        Assert.Equal(SipKey.From(SamplePeer.Bytes("4f95811a0df6824fb1fe11ba5aff36c0")), Keys.FromConnector);
        Assert.Equal(SipKey.From(SamplePeer.Bytes("16b9b5e846e7bbec1cb81138fb924a9f")), Keys.FromListener);
        Assert.Equal(new SessionId(0x9c977643136f3d34), Keys.Session);
    }

    [Fact]
    public void Both_sides_derive_the_same()
    {
        byte[][] copies = [[.. SamplePeer.SharedKey], [.. Connector], [.. Listener]];
        var again = new LinkKeys(copies[0], copies[1], copies[2]);
        Assert.Equal(Outputs(Keys), Outputs(again));
    }

    [Fact]
    public void Every_byte_of_key_and_hellos_changes_every_value()
    {
        byte[][] inputs = [SamplePeer.SharedKey, Connector, Listener];
        string[] before = Outputs(Keys);
        for (int input = 0; input < inputs.Length; input++)
        {
            for (int at = 0; at < inputs[input].Length; at++)
            {
                byte[][] changed = [.. inputs.Select(i => (byte[])i.Clone())];
                changed[input][at] ^= 1;
                string[] after = Outputs(new LinkKeys(changed[0], changed[1], changed[2]));
                Assert.All(before.Zip(after), pair => Assert.NotEqual(pair.First, pair.Second));
            }
        }
    }

    [Fact]
    public void No_two_values_of_a_connection_are_equal()
    {
        string[] outputs = Outputs(Keys);
        Assert.Equal(outputs.Length, outputs.Distinct().Count());
    }

    [Fact]
    public void Whoever_sends_back_what_he_hears_has_no_proof()
    {
        // A mirror that returns the connector's own hello and proof: both hellos are then the same.
        var mirrored = new LinkKeys(SamplePeer.SharedKey, Connector, Connector);
        Assert.NotEqual(mirrored.ConnectorProof, mirrored.ListenerProof);
        // Or one who plays listener towards one and connector towards the other, with the hellos swapped.
        var swapped = new LinkKeys(SamplePeer.SharedKey, Listener, Connector);
        Assert.DoesNotContain(Hex(Keys.ConnectorProof), Outputs(swapped));
        Assert.DoesNotContain(Hex(Keys.ListenerProof), Outputs(swapped));
    }

    private static string[] Outputs(LinkKeys keys) =>
    [
        Hex(keys.ConnectorProof), Hex(keys.ListenerProof), Hex(keys.PayloadsFromConnector),
        Hex(keys.PayloadsFromListener),
        keys.FromConnector.ToString(), keys.FromListener.ToString(), keys.Session.ToString(),
    ];

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
