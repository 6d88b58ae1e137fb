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
            "09d9923a31ef4aaa2ef76405cce3b0670f8fb692e9dc4ec69d5a7ca7124052f0", Hex(Keys.ConnectorProof));
        Assert.Equal(
            "f586073d6e4343a41929dba334b2a24bdb15b548f59d1f09067f81b253ed13e8", Hex(Keys.ListenerProof));
        Assert.Equal("96923f5bf3f96782c24b5c68ed1b74ca", Hex(Keys.PayloadsFromConnector));
        Assert.Equal("b69e254651976133456ced9be10c79f8", Hex(Keys.PayloadsFromListener));
        Assert.Equal(SipKey.From(SamplePeer.Bytes("113cb7ea4cc4dbd6887c5e80abf5e7ac")), Keys.FromConnector);
        Assert.Equal(SipKey.From(SamplePeer.Bytes("58b4b426414ff20e95a24ff492b72dc2")), Keys.FromListener);
        Assert.Equal(new SessionId(0x2b331e5c404a866f), Keys.Session);
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
