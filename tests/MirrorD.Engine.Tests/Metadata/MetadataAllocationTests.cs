using MirrorD.Engine.Control;
using MirrorD.Engine.Metadata;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Metadata;

public class MetadataAllocationTests
{
    [Fact]
    public void A_log_transaction_allocates_nothing()
    {
        var loop = new MemoryLoop();
        MetadataPlacement placement = MetadataPlacement.Internal(MemoryLoop.DiskBytes);
        var volume = new VolumeOptions("v", loop, loop, placement.MetadataOffset, placement.MetadataBytes);
        int? result = null;
        VolumeFormatter.Format(loop, volume,
            VolumeFormatter.Initial("r", "v", 0, default, placement.DataBytes, CreationSource.Self,
                new Generation(1)),
            everythingDirty: false, error => result = error);
        loop.Drain();
        Assert.Equal(0, result);

        using var store = new VolumeMetadataStore(loop, volume);
        MetadataLoad? load = null;
        store.Load(found => load = found);
        loop.Drain();
        Assert.True(load!.IsUsable, load.Damage);

        int stored = 0;
        Action<int> done = error => stored += error == 0 ? 1 : 0;
        uint[] extents = [1, 2, 3];
        for (int i = 0; i < 100; i++)
        {
            store.StoreActivityLog(extents, done);
            loop.Drain();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20_000; i++)
        {
            store.StoreActivityLog(extents, done);
            loop.Drain();
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(20_100, stored);
        // Less than a byte each; a collection may count up to 8 KiB that this thread has not used yet.
        Assert.True(allocated < 20_000, $"{allocated} bytes for 20,000 transactions");
    }
}
