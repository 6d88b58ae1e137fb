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
            "eeb5e6d70549c9962cebbab3361325af2737ae1c6926efd1ad59059bd5e332d4", Hex(Keys.ConnectorProof));
        Assert.Equal(
            "bedaea74a75a45223d1894e9f8f325906af6db51d799d4bde6f794e8fca03b28", Hex(Keys.ListenerProof));
        Assert.Equal("3ea9563533d2ee6171f611382cc55349dc0e467a81eeb5af1d490271ad9b2672", Hex(Keys.MacKey));
        Assert.Equal(SipKey.From(SamplePeer.Bytes("f8f04a1b1bfa0c125c8667fa0083f236")), Keys.FromConnector);
        Assert.Equal(SipKey.From(SamplePeer.Bytes("2903f7f77a10ca6fe67a6f3c4217bd7a")), Keys.FromListener);
        Assert.Equal(new SessionId(0x9d231c8ff913bb3e), Keys.Session);
        Assert.Equal("446a9ff7b39e9cc3a80c83be7f4ca3e9", Hex(Mac([8], 7, fromConnector: true)));
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

    [Fact]
    public void A_messages_mac_covers_its_bytes_its_frame_number_and_its_direction()
    {
        string mac = Hex(Mac([1, 2, 3], 7, fromConnector: true));
        Assert.NotEqual(mac, Hex(Mac([1, 2, 4], 7, fromConnector: true)));
        Assert.NotEqual(mac, Hex(Mac([1, 2, 3, 0], 7, fromConnector: true)));
        Assert.NotEqual(mac, Hex(Mac([1, 2, 3], 8, fromConnector: true)));
        Assert.NotEqual(mac, Hex(Mac([1, 2, 3], 7, fromConnector: false)));
    }

    private static byte[] Mac(byte[] message, ulong frameNumber, bool fromConnector)
    {
        byte[] mac = new byte[PeerMessageCodec.MacBytes];
        Keys.ComputeMac(message, frameNumber, fromConnector, mac);
        return mac;
    }

    private static string[] Outputs(LinkKeys keys) =>
    [
        Hex(keys.ConnectorProof), Hex(keys.ListenerProof), Hex(keys.MacKey),
        keys.FromConnector.ToString(), keys.FromListener.ToString(), keys.Session.ToString(),
    ];

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
