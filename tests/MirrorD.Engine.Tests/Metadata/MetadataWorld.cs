using MirrorD.Core.Metadata;
using MirrorD.Engine.Control;
using MirrorD.Engine.Metadata;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Metadata;

/// <summary>One volume on a simulated disk, and the processes that come and go on it.</summary>
internal sealed class MetadataWorld : IDisposable
{
    public const string Node = "a";
    public const long LimitNs = 3_600_000_000_000;

    /// <summary>Three pages of dirty map, 96 extents of 4 MiB.</summary>
    public const long DeviceBytes = 380L << 20;

    public const uint Extents = 95;

    private readonly List<VolumeMetadataStore> _stores = [];
    private MetadataPlacement? _former;

    public MetadataWorld(ulong seed, bool isInternal = true)
    {
        World = new SimulatedWorld(seed);
        Data = World.CreateDisk(Node, "/dev/data", DeviceBytes);
        MetadataPlacement placement = isInternal
            ? MetadataPlacement.Internal(DeviceBytes)
            : MetadataPlacement.External(DeviceBytes);
        Meta = isInternal ? Data : World.CreateDisk(Node, "/dev/meta", placement.MetadataBytes);
        Volume = new VolumeOptions("spool", Data, Meta, placement.MetadataOffset, placement.MetadataBytes);
        Initial = VolumeFormatter.Initial(
            "mail", "spool", 1, new NodeId(new Guid(1, 2, 3, new byte[8])), placement.DataBytes,
            CreationSource.Self, new Generation(1));
        Loop = World.CreateLoop(Node);
    }

    public SimulatedWorld World { get; }

    public SimulatedDisk Data { get; }

    public SimulatedDisk Meta { get; }

    public VolumeOptions Volume { get; private set; }

    public Superblock Initial { get; }

    public SimulatedLoop Loop { get; private set; }

    /// <summary>A volume formatted and, unless told otherwise, nothing dirty.</summary>
    public static MetadataWorld Formatted(ulong seed, bool everythingDirty = false, bool isInternal = true)
    {
        var world = new MetadataWorld(seed, isInternal);
        int? result = null;
        VolumeFormatter.Format(
            world.Loop, world.Volume, world.Initial, everythingDirty, error => result = error);
        Assert.Null(result);
        world.Await(() => result is not null, "formatting to end");
        Assert.Equal(0, result);
        return world;
    }

    public void Await(Func<bool> condition, string what) =>
        Assert.True(World.RunUntil(condition, LimitNs), $"waited for {what}");

    /// <summary>
    /// The disk is enlarged. Who opens it anew looks at its end first, and knows where the metadata lay before.
    /// </summary>
    public void Enlarge(long toBytes, bool knowsFormer = true)
    {
        Data.Enlarge(toBytes);
        _former ??= new MetadataPlacement(0, Volume.MetadataOffset, Volume.MetadataBytes);
        Reopen = () =>
        {
            Data.LookAgain();
            MetadataPlacement end = MetadataPlacement.Internal(Data.LengthBytes);
            Volume = Volume with
            {
                MetadataOffset = end.MetadataOffset,
                MetadataBytes = end.MetadataBytes,
                Former = knowsFormer ? _former : null,
            };
        };
    }

    /// <summary>Done before the disk is opened again.</summary>
    public Action Reopen { get; set; } = () => { };

    public void PowerCutAndRestart()
    {
        World.PowerCut(Node);
        Reopen();
        Loop = World.CreateLoop(Node);
    }

    public void KillAndRestart()
    {
        World.CrashProcess(Node);
        Reopen();
        Loop = World.CreateLoop(Node);
    }

    public VolumeMetadataStore NewStore()
    {
        var store = new VolumeMetadataStore(Loop, Volume);
        _stores.Add(store);
        return store;
    }

    public (VolumeMetadataStore Store, MetadataLoad Load) Load()
    {
        VolumeMetadataStore store = NewStore();
        MetadataLoad? load = null;
        store.Load(found => load = found);
        Assert.Null(load);
        Assert.True(store.IsBusy);
        Await(() => load is not null, "the metadata to be loaded");
        Assert.False(store.IsBusy);
        return (store, load!);
    }

    public (VolumeMetadataStore Store, Superblock Superblock, DirtyMap Map) LoadUsable()
    {
        (VolumeMetadataStore store, MetadataLoad load) = Load();
        Assert.True(load.IsUsable, load.Damage);
        Assert.Same(load.Superblock, store.Current);
        return (store, load.Superblock, load.Map);
    }

    /// <summary>Runs a call that ends with an error number.</summary>
    public int Run(Action<Action<int>> call)
    {
        int? result = null;
        call(error => result = error);
        Assert.Null(result);
        Await(() => result is not null, "a store to end");
        return result!.Value;
    }

    /// <summary>
    /// Changes bytes of the metadata area as rot would: durably, and behind everybody's back.
    /// </summary>
    public void Damage(long offset, int lengthBytes = 1)
    {
        using var buffer = new Io.IoBuffer(4096);
        long block = offset / 4096 * 4096;
        bool done = false;
        var operation = new Io.IoOperation(_ => done = true);
        Loop.Read(Volume.Metadata, Volume.MetadataOffset + block, buffer.Slice(0, 4096), operation);
        Await(() => done, "a read");
        foreach (ref byte value in buffer.Span.Slice((int)(offset - block), lengthBytes))
        {
            value ^= 0x40;
        }

        done = false;
        Loop.Write(Volume.Metadata, Volume.MetadataOffset + block, buffer.Slice(0, 4096), true, operation);
        Await(() => done, "a write");
    }

    public void Dispose()
    {
        foreach (VolumeMetadataStore store in _stores)
        {
            store.Dispose();
        }
    }
}
