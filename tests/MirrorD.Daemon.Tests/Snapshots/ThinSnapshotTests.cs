using MirrorD.Daemon.Snapshots;

namespace MirrorD.Daemon.Tests.Snapshots;

/// <summary>What LVM shows, and what follows of it. That it works: ThinSnapshotTests in MirrorD.Machines.Tests.</summary>
public class ThinSnapshotTests
{
    // As lvm 2.03.16 prints it.
    private static readonly string[] s_lines =
    [
        "  WARNING: Device /dev/vdb has size of 8 sectors which is smaller than corresponding PV size | of 16 sectors",
        "  data|pool|thin-pool||104857600|40.00|12.50|1763730000",
        "  data|mail|thin|pool|83886080|25.00||1763730001",
        "  data|mail-mirrord-snapshot|thin|pool|83886080|||1763730100",
        "  data|plain|linear||4194304|||1763730002",
    ];

    [Fact]
    public void What_lvs_prints_is_read_and_warnings_are_passed_over()
    {
        IReadOnlyList<LogicalVolume> found = Lvm.Read(s_lines);
        Assert.Equal(["pool", "mail", "mail-mirrord-snapshot", "plain"], found.Select(volume => volume.Name));
        LogicalVolume mail = found[1];
        Assert.True(mail.IsThin);
        Assert.Equal("pool", mail.Pool);
        Assert.Equal("/dev/data/mail", mail.Device);
        Assert.Equal(20 << 20, mail.TakenBytes);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1763730001), mail.MadeAt);
        Assert.False(found[0].IsThin);
        Assert.False(found[3].IsThin);
        Assert.Equal(12.5, found[0].MetadataPercent);
    }

    [Theory]
    [InlineData(40, 12.5, null)]
    [InlineData(80, 12.5, null)]
    [InlineData(81, 12.5, "writes to shared blocks may need 20971520 bytes more in data/pool, and 19922944 are free")]
    [InlineData(40, 49.9, null)]
    [InlineData(40, 50.0, "writes to shared blocks may need as much metadata again in data/pool, and less than half is free")]
    public void Without_room_for_all_that_is_shared_there_is_no_snapshot(double data, double metadata, string? shortage)
    {
        IReadOnlyList<LogicalVolume> found = Lvm.Read(s_lines);
        LogicalVolume pool = found[0] with { DataPercent = data, MetadataPercent = metadata };
        Assert.Equal(shortage, ThinSnapshots.Shortage(pool, [found[1]]));
    }

    [Theory]
    [InlineData(null, "devices/filter=[\"r|/nbd[0-9]|\"]")]
    [InlineData("filter=[\"a|.*|\"]", "devices/filter=[\"r|/nbd[0-9]|\",\"a|.*|\"]")]
    [InlineData("filter=\"a|.*|\"", "devices/filter=[\"r|/nbd[0-9]|\",\"a|.*|\"]")]
    public void What_the_host_filters_stays_filtered_and_nbd_is_as_well(string? filter, string expected) =>
        Assert.Equal(expected, Lvm.WithoutNbd(filter));

    [Theory]
    [InlineData("dm-3", "LVM-abc", "dm-2", "LVM-xyz-tpool", "/dev/mapper/data-mail")]
    [InlineData("dm-3", "LVM-abc", "sda", null, null)]
    [InlineData("dm-3", "CRYPT-LUKS2", "dm-2", "LVM-xyz-tpool", null)]
    [InlineData("sdb", null, "dm-2", "LVM-xyz-tpool", null)]
    public void A_thin_volume_is_known_by_what_lies_below_it(
        string device, string? uuid, string below, string? uuidBelow, string? found)
    {
        string blocks = Directory.CreateTempSubdirectory("mirrord-test-").FullName;
        try
        {
            Add(blocks, device, uuid);
            Add(blocks, below, uuidBelow);
            Directory.CreateDirectory(Path.Combine(blocks, device, "slaves", below));
            string node = Path.Combine(Directory.CreateDirectory(Path.Combine(blocks, "dev")).FullName, device);
            File.WriteAllBytes(node, []);
            Assert.Equal(found, ThinDevice.Find(node, blocks));
        }
        finally
        {
            Directory.Delete(blocks, recursive: true);
        }
    }

    [Fact]
    public void A_pool_of_which_nothing_is_known_has_no_room()
    {
        IReadOnlyList<LogicalVolume> found = Lvm.Read(s_lines);
        Assert.NotNull(ThinSnapshots.Shortage(found[0] with { DataPercent = null }, [found[1]]));
        Assert.NotNull(ThinSnapshots.Shortage(found[0] with { MetadataPercent = null }, [found[1]]));
    }

    private static void Add(string blocks, string name, string? uuid)
    {
        Directory.CreateDirectory(Path.Combine(blocks, name, "dm"));
        if (uuid is not null)
        {
            File.WriteAllText(Path.Combine(blocks, name, "dm", "uuid"), uuid + "\n");
            File.WriteAllText(Path.Combine(blocks, name, "dm", "name"), "data-mail\n");
        }
    }
}
