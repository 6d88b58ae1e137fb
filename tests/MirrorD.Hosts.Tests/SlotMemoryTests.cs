using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;
using Xunit.Abstractions;

namespace MirrorD.Hosts.Tests;

/// <summary>What daemons keep of the memory that they took for much work, by the kernel's account (proc(5), status).</summary>
public sealed class SlotMemoryTests(ITestOutputHelper output) : PairTest
{
    private const int SlotBytes = 128 << 10;

    /// <summary>Requests of fio at once: no fewer slots are in use at the primary.</summary>
    private const int Requests = 48;

    [HostFact]
    public void Memory_for_many_requests_is_given_back_when_they_are_over()
    {
        Pair pair = StartPair(new PairOptions { DiskBytes = 256L << 20 });
        Node[] nodes = [pair.A, pair.B];
        long[] atFirst = [.. nodes.Select(node => node.Daemon.AnonymousBytes)];
        NbdTools.Fio(
            "--name=w", "--ioengine=nbd", $"--uri={NbdTools.Uri(pair.A.Export())}", "--rw=write", "--bs=128k", "--size=192m",
            $"--iodepth={Requests}").Require();
        long[] most = [.. nodes.Select(node => node.Daemon.AnonymousBytes)];
        Assert.InRange(most[0] - atFirst[0], Requests * SlotBytes, long.MaxValue);
        foreach ((int i, Node node) in nodes.Index())
        {
            long now = most[i];
            Wait.For($"memory of {node.Name} given back", TimeSpan.FromSeconds(180), () =>
            {
                now = node.Daemon.AnonymousBytes;
                return now - atFirst[i] < (most[i] - atFirst[i]) / 3;
            }, () => $"{atFirst[i]} bytes at first, {most[i]} under load, {now} now");
            output.WriteLine($"{node.Name}: {atFirst[i]} bytes at first, {most[i]} under load, {now} in the end");
        }
    }
}
