using MirrorD.Io.Linux;
using MirrorD.Io.Linux.Uring;

namespace MirrorD.Io.Tests.Linux;

/// <summary>What is about io_uring itself.</summary>
public sealed class UringLoopTests() : LinuxLoopTests(LoopKind.Uring)
{
    [Fact]
    public void More_operations_than_queue_entries_may_be_pending_at_once()
    {
        using var driver = new LoopDriver(new UringLoop(entries: 4));
        LinuxDisk disk = NewDisk(1 << 20);
        int left = 1000;
        for (int i = 0; i < 1000; i++)
        {
            IoOperation operation = driver.Operation(done => left -= done.Result == 4096 ? 1 : 0);
            driver.Loop.Read(disk, i % 256 * 4096, driver.Buffer(4096), operation);
        }

        driver.RunUntil(() => left == 0, "1000 reads through 4 entries");
        disk.Close();
    }

    [Theory]
    [InlineData(1, "2", "io_uring_disabled=0")]
    [InlineData(1, "1", "io_uring_group")]
    [InlineData(1, "0", "seccomp")]
    [InlineData(1, null, "seccomp")]
    [InlineData(38, null, "5.11")]
    [InlineData(12, "0", "LimitMEMLOCK")]
    [InlineData(22, "0", "too old")]
    public void A_refused_ring_names_the_likely_cause(int errno, string? sysctl, string expected) =>
        Assert.Contains(expected, RingSetup.Cause(errno, sysctl), StringComparison.Ordinal);
}
