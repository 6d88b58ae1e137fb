using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>A resync by checksum sends only what differs, counted on the link.</summary>
public class ChecksumResyncTests
{
    private const int VolumeBytes = 16 << 20;

    [Fact]
    public void Only_what_differs_crosses_the_link()
    {
        SimulatedPair pair = Different(out LinkProxy proxy, out byte[] data);
        pair.StartBoth();
        pair.Join();
        Assert.Equal(data, pair.B.Peek(0, VolumeBytes));

        // Three places differ: three copies of 128 KiB, and a question for each of the 128 ranges.
        Assert.InRange(proxy.FromConnector.Count, 3 * 128 * 1024, 3 * 128 * 1024 + 64 * 1024);
        Assert.Contains(pair.A.Events, e =>
            e.Contains($"resync-done r: {3 * 128 * 1024} bytes sent, {VolumeBytes - 3 * 128 * 1024} were equal"));
    }

    [Fact]
    public void Without_checksums_everything_crosses_the_link()
    {
        SimulatedPair pair = Different(out LinkProxy proxy, out byte[] data);
        pair.A.ByChecksum = pair.B.ByChecksum = false;
        pair.StartBoth();
        pair.Join();
        Assert.Equal(data, pair.B.Peek(0, VolumeBytes));
        Assert.InRange(proxy.FromConnector.Count, VolumeBytes, VolumeBytes + 64 * 1024);
    }

    [Fact]
    public void What_the_target_cannot_read_counts_as_different()
    {
        SimulatedPair pair = Different(out LinkProxy _, out byte[] data);
        pair.B.MakeUnreadable(1 << 20, 128 * 1024);
        pair.StartBoth();
        pair.Join();
        Assert.Equal(data, pair.B.Peek(0, VolumeBytes));
        Assert.Contains(pair.A.Events, e => e.Contains($"resync-done r: {4 * 128 * 1024} bytes sent"));
    }

    [Fact]
    public void An_answer_that_was_made_up_is_not_believed()
    {
        SimulatedPair pair = Different(out LinkProxy proxy, out byte[] data);
        byte[] first = [];
        proxy.Change = (way, frame, payload) =>
        {
            // The hash of another question, of an equal range even: as somebody would send it who has no key for hashes.
            if (frame.Type != PeerFrameType.HashAnswer || payload.Length == 0)
            {
                return null;
            }

            first = first.Length == 0 ? payload : first;
            return way.Seal(frame, first);
        };
        pair.StartBoth();
        pair.Join();
        Assert.Equal(data, pair.B.Peek(0, VolumeBytes));
        Assert.Contains(pair.A.Events, e =>
            e.Contains($"resync-done r: {VolumeBytes - 128 * 1024} bytes sent, {128 * 1024} were equal"));
    }

    [Fact]
    public void Writes_go_on_while_ranges_are_compared()
    {
        SimulatedPair pair = Different(out LinkProxy _, out byte[] data);
        pair.StartBoth();
        pair.Until("resync", () => pair.A.Link == LinkState.SyncSource);
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        var writes = new List<SimulatedPair.Pending>();
        for (int i = 0; i < 64; i++)
        {
            writes.Add(pair.A.Submit(VolumeOperation.Write, i * 200_704L, 4096, (byte)(i + 1)));
            data.AsSpan(i * 200_704, 4096).Fill((byte)(i + 1));
        }

        pair.Until("writes", () => writes.All(write => write.Error == 0));
        pair.Join();
        Assert.Equal(data, pair.A.Peek(0, VolumeBytes));
        Assert.Equal(data, pair.B.Peek(0, VolumeBytes));
    }

    /// <summary>Two copies that differ in three places, a full sync from a to b, and a witness in between.</summary>
    private static SimulatedPair Different(out LinkProxy proxy, out byte[] data)
    {
        var pair = new SimulatedPair(dataBytes: VolumeBytes, aIs: CreationSource.Self, bIs: CreationSource.Peer);
        data = new byte[VolumeBytes];
        new Random(1).NextBytes(data);
        pair.A.Put(0, data);
        pair.B.Put(0, data);
        foreach (int at in new[] { 0, (5 << 20) + 4095, VolumeBytes - 1 })
        {
            pair.B.Put(at, [(byte)~data[at]]);
        }

        pair.A.ByChecksum = pair.B.ByChecksum = true;
        proxy = new LinkProxy(pair.World);
        pair.A.ConnectTo = proxy.Endpoint;
        return pair;
    }
}
