using System.Diagnostics;
using System.Security.Cryptography;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Demo;

/// <summary>
/// A pair from its first write to the return of its old primary. Each step fails the demo when it fails.
/// </summary>
internal sealed class Story(Lab.Lab lab, Narrator narrator)
{
    private const string Address = Lab.Lab.ServiceAddress;
    private const int OutageFiles = 48;
    private const int OutageFileBytes = 1 << 20;

    private readonly Dictionary<string, string> _sums = [];
    private readonly Pair _pair = new(lab, new PairOptions
    {
        DiskBytes = 256L << 20,
        Arbiter = true,
        LinkTimeout = "2s",
        ResyncRate = "16MiB/s",
    });

    private NbdBlockDevice? _device;
    private FileSystem? _mounted;

    public void Run()
    {
        StartPair();
        WriteWithFio();
        WriteFiles();
        CutAndMendTheStandby();
        KillThePrimary();
        CompareOnTheNewPrimary();
        BringTheOldPrimaryBack();
    }

    private void StartPair()
    {
        narrator.Chapter("Two nodes and a client, in network namespaces of this machine");
        narrator.Say($"a       {lab.A.ProductionAddress} production, {lab.A.DedicatedAddress} dedicated");
        narrator.Say($"b       {lab.B.ProductionAddress} production, {lab.B.DedicatedAddress} dedicated");
        narrator.Say($"client  {lab.Client.ProductionAddress}; it will use the service address {Address}");
        narrator.Say("Each node has a disk of 256 MiB; a third place holds the arbiter's directory.");
        narrator.Say("Starting mirrord on both.");
        _pair.A.StartAndWait();
        _pair.B.StartAndWait();
        _pair.WaitUntilJoined(60);
        Control(_pair.A, "promote", Pair.ResourceName);
        _pair.A.WaitFor("to be Primary", 20, view => view.IsPrimary);
        Wait.For("the service address to answer", 20, () => lab.Client.Pings(Address));
        Control(_pair.A, "status");
        narrator.Shown("The pair is joined", $"a is Primary and holds {Address}");
    }

    private void WriteWithFio()
    {
        narrator.Chapter("Four clients write through the mirrored volume and verify what they read");
        string[] arguments = NbdTools.FioVerify(_pair.A.Export(), clients: 4, bytesPerClient: 16 << 20);
        narrator.Command("a", "fio --rw=randrw --bsrange=4k-64k --numjobs=4 --verify=crc32c …");
        LinkBytes before = lab.Link.ReadBytes();
        ToolResult fio = NbdTools.Fio(arguments).Require();
        narrator.Answer(string.Join(
            '\n', fio.Output.Split('\n', StringSplitOptions.TrimEntries).Where(line => line.Contains("io="))));
        RequireIdentical();
        narrator.Shown(
            "fio verified its data, both copies are byte-identical",
            $"{Mebibytes(lab.Link.ReadBytes().Since(before).FromA)} crossed the dedicated link");
    }

    private void WriteFiles()
    {
        narrator.Chapter("An ext4 file system on the volume, with files and their checksums");
        Attach(_pair.A);
        FileSystem.Make(_device!.Path, "ext4");
        Mount("a");
        WriteRandomFiles("before", 40, 256 << 10);
        narrator.Shown("Files written and synced on a", $"{_sums.Count} files");
    }

    private void CutAndMendTheStandby()
    {
        narrator.Chapter("The dedicated link is cut while a goes on writing");
        lab.Link.Cut();
        _pair.A.WaitFor("to notice", 20, view => view.Link == "Disconnected");
        WriteRandomFiles("outage", OutageFiles, OutageFileBytes);
        Control(_pair.A, "status");
        narrator.Say("The link is mended; only what differs is sent.");
        LinkBytes before = lab.Link.ReadBytes();
        var clock = Stopwatch.StartNew();
        lab.Link.Mend();
        ShowResync();
        _pair.WaitUntilJoined(60);
        string sent = Mebibytes(lab.Link.ReadBytes().Since(before).FromA);
        string written = Mebibytes(OutageFiles * (long)OutageFileBytes);
        string all = Mebibytes(_pair.A.Status().LengthBytes("data"));
        narrator.Shown(
            "Resync after the outage",
            $"{sent} sent for {written} written, of a volume of {all}, in {clock.Elapsed.TotalSeconds:0.0} s");
    }

    private void KillThePrimary()
    {
        narrator.Chapter("Host a dies: kill -9, and its network is gone");
        narrator.Say($"client's neighbour table: {Address} is at {lab.Client.Neighbour(Address)} (a)");
        var clock = Stopwatch.StartNew();
        _pair.A.Daemon.Kill();
        lab.A.Run("ip", "link", "set", Host.ProductionInterface, "down").Require();
        lab.A.Run("ip", "link", "set", Host.DedicatedInterface, "down").Require();
        _pair.B.WaitFor("to miss a", 20, view => view.Link == "Disconnected");
        narrator.Say($"b misses its peer after {clock.Elapsed.TotalSeconds:0.0} s; the operator promotes it");
        Control(_pair.B, "promote", Pair.ResourceName);
        string expected = lab.B.HardwareAddress(Host.ProductionInterface);
        Wait.For("the client to learn of the move", 20, () => lab.Client.Neighbour(Address) == expected);
        Wait.For("the service address to answer", 20, () => lab.Client.Pings(Address));
        narrator.Say($"client's neighbour table: {Address} is at {lab.Client.Neighbour(Address)} (b)");
        narrator.Shown(
            "b took over",
            $"the client reaches {Address} on b {clock.Elapsed.TotalSeconds:0.0} s after a's death");

        // What of a is still on this machine.
        _mounted!.Abandon();
        _device!.Detach();
    }

    private void CompareOnTheNewPrimary()
    {
        narrator.Chapter("The data on b");
        Attach(_pair.B);
        Mount("b");
        int wrong = _sums.Count(file => Sum(Path.Combine(_mounted!.MountPoint, file.Key)) != file.Value);
        if (wrong > 0)
        {
            throw new InvalidDataException($"{wrong} of {_sums.Count} files differ");
        }

        WriteRandomFiles("after", 20, 256 << 10);
        _mounted!.Unmount();
        FileSystem.Check(_device!.Path, "ext4").Require();
        _device.Detach();
        narrator.Shown(
            "All synced files are there, e2fsck is content", $"{_sums.Count} files, 20 of them new on b");
    }

    private void BringTheOldPrimaryBack()
    {
        narrator.Chapter("Host a comes back");
        lab.A.Boot();
        lab.A.Run("ip", "addr", "del", $"{Address}/32", "dev", Host.ProductionInterface);
        lab.A.Run("ip", "link", "set", Host.ProductionInterface, "up").Require();
        lab.Link.Mend();
        _pair.A.StartAndWait();
        _pair.WaitUntilJoined(60);
        Control(_pair.B, "status");
        if (_pair.A.Status().IsPrimary || lab.A.Holds(Address))
        {
            throw new InvalidOperationException("the old primary did not become a standby");
        }

        RequireIdentical();
        narrator.Shown("a is a Standby again", "resynced by itself; both copies are byte-identical");
    }

    private void Control(Node node, params string[] words)
    {
        narrator.Command(node.Name, $"mirrorctl {string.Join(' ', words)}");
        narrator.Answer(node.Control(words).Require().Output);
    }

    private void ShowResync()
    {
        long shown = -1;
        Wait.For("the resync", 60, () =>
        {
            ResourceView? view = _pair.A.TryStatus();
            if (view?.Resync is (long total, long sent) && total > 0 && sent * 5 / total > shown)
            {
                shown = sent * 5 / total;
                narrator.Say($"resync {sent * 100 / total,3} %  {Mebibytes(sent)} of {Mebibytes(total)}");
            }

            return view?.IsJoined == true;
        });
    }

    private void RequireIdentical()
    {
        string? difference = null;
        Wait.For(
            "the copies to be identical", 30,
            () => (difference = _pair.Difference()) is null, () => difference ?? "");
    }

    private void Attach(Node node) => _device = NbdBlockDevice.Attach(lab, node.Name, node.Export());

    private void Mount(string name)
    {
        _mounted = FileSystem.Mount(lab, name, _device!.Path, "ext4");
        narrator.Say("mounted through nbdfuse and a loop device, since this may be a kernel without nbd");
    }

    private void WriteRandomFiles(string prefix, int count, int lengthBytes)
    {
        byte[] bytes = new byte[lengthBytes];
        for (int index = 0; index < count; index++)
        {
            Random.Shared.NextBytes(bytes);
            string name = $"{prefix}-{index}";
            using FileStream file = File.Create(Path.Combine(_mounted!.MountPoint, name));
            file.Write(bytes);
            file.Flush(flushToDisk: true);
            _sums[name] = Convert.ToHexString(SHA256.HashData(bytes));
        }

        Tool.Run("sync", "--file-system", _mounted!.MountPoint).Require();
    }

    private static string Sum(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));

    private static string Mebibytes(long bytes) => $"{bytes / 1048576.0:0.0} MiB";
}
