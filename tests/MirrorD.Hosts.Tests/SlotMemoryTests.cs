using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;
using Xunit.Abstractions;

namespace MirrorD.Hosts.Tests;

/// <summary>What a daemon keeps of the memory it took for much work, by the kernel's account (proc(5), status).</summary>
public sealed class SlotMemoryTests(ITestOutputHelper output) : PairTest
{
    private const int SlotBytes = 128 << 10;

    /// <summary>Requests of fio at once: no fewer slots are in use at the primary.</summary>
    private const int Requests = 48;

    [HostFact]
    public void Memory_for_many_requests_is_given_back_when_they_are_over()
    {
        Pair pair = StartPair(new PairOptions { DiskBytes = 256L << 20 });
        long atFirst = pair.A.Daemon.AnonymousBytes;
        NbdTools.Fio(
            "--name=w", "--ioengine=nbd", $"--uri={NbdTools.Uri(pair.A.Export())}", "--rw=write", "--bs=128k", "--size=192m",
            $"--iodepth={Requests}").Require();
        long most = pair.A.Daemon.AnonymousBytes;
        Assert.InRange(most - atFirst, Requests * SlotBytes, long.MaxValue);

        // What goes counts, not what is left: some MB of the allocator and the collector come with the first load and stay.
        long now = most;
        Wait.For("the memory given back", TimeSpan.FromSeconds(180), () =>
        {
            now = pair.A.Daemon.AnonymousBytes;
            return most - now >= Requests * SlotBytes;
        }, () => $"{atFirst} bytes at first, {most} under load, {now} now");
        output.WriteLine($"{atFirst} bytes at first, {most} under load, {now} in the end");
    }
}
