namespace MirrorD.Engine.Tests.Nbd;

/// <summary>The distribution's NBD clients against the server, over io_uring and a unix socket.</summary>
[Trait("Level", "Hosts")]
public sealed class RealClientsTests
{
    private const int DiskBytes = 64 << 20;

    [RealClientsFact("nbdinfo")]
    public void Nbdinfo_lists_and_describes_the_export()
    {
        using var server = new RealServer(DiskBytes);
        string list = server.Run("nbdinfo", "--list", server.Uri);
        Assert.Contains("export=\"mail/data\"", list);
        Assert.Contains($"export-size: {DiskBytes}", list);
        Assert.Contains("base:allocation", list);
        string json = server.Run("nbdinfo", "--json", server.Uri);
        foreach (string expected in new[]
        {
            "\"protocol\": \"newstyle-fixed\"", "\"structured\": true",
            "\"can_flush\": true", "\"can_fua\": true",
            "\"can_trim\": true", "\"can_zero\": true", "\"can_fast_zero\": true", "\"can_cache\": true",
            "\"can_df\": true", "\"can_multi_conn\": true", "\"is_read_only\": false",
            "\"block_size_minimum\": 512", "\"block_size_preferred\": 4096",
            "\"block_size_maximum\": 33554432",
        })
        {
            Assert.Contains(expected, json);
        }

        server.UntilEmpty();
    }

    [RealClientsFact("nbdinfo", "nbdcopy")]
    public void Nbdinfo_maps_what_was_written()
    {
        using var server = new RealServer(DiskBytes);
        string totals = server.Run("nbdinfo", "--map=base:allocation", "--totals", server.Uri);
        Assert.Contains($"{DiskBytes}", totals);
        server.Run("nbdcopy", server.RandomFile("one", 1 << 20), server.Uri);
        string map = server.Run("nbdinfo", "--map", server.Uri);
        Assert.Matches(@"^\s+0\s+1048576\s+0\s+data", map);
        Assert.Matches(@"1048576\s+66060288\s+3\s+hole,zero", map);
    }

    [RealClientsFact("nbdcopy")]
    public void Nbdcopy_brings_a_file_there_and_back()
    {
        using var server = new RealServer(DiskBytes);
        string there = server.RandomFile("there", DiskBytes);
        server.Run("nbdcopy", "--flush", there, server.Uri);
        string back = Path.Combine(server.Directory, "back");
        server.Run("nbdcopy", server.Uri, back);
        Assert.Equal(File.ReadAllBytes(there), File.ReadAllBytes(back));
        server.Run("nbdcopy", "--synchronous", "--request-size=33554432", "--no-extents", server.Uri, back);
        Assert.Equal(File.ReadAllBytes(there), File.ReadAllBytes(back));
        server.UntilEmpty();
    }

    [RealClientsFact("qemu-img")]
    public void Qemu_img_converts_to_it_and_finds_it_equal()
    {
        using var server = new RealServer(DiskBytes);
        string image = server.RandomFile("image", 40 << 20);
        File.AppendAllBytes(image, new byte[DiskBytes - (40 << 20)]);
        server.Run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, server.Uri);
        server.Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, server.Uri);
        string copy = Path.Combine(server.Directory, "copy");
        server.Run("qemu-img", "convert", "-f", "raw", "-O", "raw", server.Uri, copy);
        Assert.Equal(File.ReadAllBytes(image), File.ReadAllBytes(copy));
        server.UntilEmpty();
    }

    [RealClientsFact("qemu-io")]
    public void Qemu_io_writes_zeroes_discards_and_reads_back()
    {
        using var server = new RealServer(DiskBytes);
        string[] commands =
        [
            "write -P 7 1M 4M", "write -f -P 8 20M 4k", "write -P 9 0 31M", "aio_write -P 3 40M 64k",
            "aio_write -P 4 41M 64k", "aio_flush", "write -z 2M 1M", "write -z -u 3M 64k", "discard 4M 1M",
            "flush",
            "read -P 9 1M 1M", "read -P 0 2M 1M", "read -P 0 3M 64k", "read -P 9 5M 26M",
            "read -P 3 40M 64k", "read -P 4 41M 64k",
        ];
        string[] arguments = [.. commands.SelectMany(command => new[] { "-c", command })];
        string output = server.Run("qemu-io", ["-f", "raw", .. arguments, server.Uri]);
        Assert.DoesNotContain("Pattern verification failed", output);
        Assert.DoesNotContain("failed:", output);
        server.UntilEmpty();
    }

    [RealClientsFact("fio")]
    public void Four_clients_of_fio_write_at_random_and_verify_what_they_read()
    {
        using var server = new RealServer(DiskBytes);
        server.Run("fio", "--name=verify", "--ioengine=nbd", $"--uri={server.Uri}", "--rw=randrw",
            "--bsrange=512-256k", "--blockalign=512", "--verify=crc32c", "--verify_fatal=1", "--iodepth=16",
            "--numjobs=4", "--size=16m", "--offset_increment=16m", "--fsync=64", "--randseed=7");
        server.UntilEmpty();
        Assert.DoesNotContain(server.Events, e => e.Kind is Engine.Nbd.NbdEventKind.Violation);
    }
}
