using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;

namespace MirrorD.Benchmarks.Contenders;

/// <summary>This project: real daemons, the whole path with metadata, activity log and checksums.</summary>
internal static class Product
{
    /// <summary>A joined pair.</summary>
    /// <param name="ground">Its two hosts; nothing else of this kind is on them.</param>
    /// <param name="name">Its name in results.</param>
    /// <param name="lines">Lines of the resource's section.</param>
    public static Contender Mirrored(Ground ground, string name, params IReadOnlyList<string> lines) =>
        Mirrored(name, Start(ground, lines));

    /// <summary>A joined pair whose loops use epoll and threads.</summary>
    public static Contender OnEpoll(Ground ground, string name, params IReadOnlyList<string> lines) =>
        Mirrored(name, Start(ground, lines, "io: epoll"));

    /// <summary>A Primary whose Standby was disconnected: it notes in its map what the other one lacks.</summary>
    public static Contender Alone(Ground ground, string name)
    {
        Pair pair = Start(ground, []);
        pair.B.Control("disconnect", Pair.ResourceName).Require();
        pair.A.WaitFor("to be alone", 30, view => !view.IsJoined);
        pair.B.Daemon.Terminate();
        return new Contender(name, Fio(pair), () => [pair.A.Daemon]);
    }

    /// <summary>A joined pair whose volume is wider than its activity log covers; see <see cref="WideVolume"/>.</summary>
    public static Contender Wide(Ground ground, string name, params IReadOnlyList<string> lines)
    {
        var pair = new Pair(
            ground.Lab,
            new PairOptions { DiskBytes = WideVolume.DiskBytes, Disks = DiskKind.Sparse, ResourceLines = lines });
        pair.StartJoinedWithPrimaryA();
        return new Contender(name, Fio(pair), () => [pair.A.Daemon, pair.B.Daemon], fill: WideVolume.Fill);
    }

    private static Pair Start(Ground ground, IReadOnlyList<string> lines, string? nodeLine = null)
    {
        var pair = new Pair(ground.Lab, new PairOptions
        {
            DiskBytes = Ground.DiskBytes,
            ResourceLines = lines,
            NodeLine = nodeLine is null ? new Dictionary<string, string>()
                : new Dictionary<string, string> { ["a"] = nodeLine, ["b"] = nodeLine },
        });
        pair.StartJoinedWithPrimaryA();
        return pair;
    }

    private static Contender Mirrored(string name, Pair pair) =>
        new(name, Fio(pair), () => [pair.A.Daemon, pair.B.Daemon]);

    private static IReadOnlyList<string> Fio(Pair pair) => Peers.OverNbd(NbdTools.Uri(pair.A.Export()));
}
