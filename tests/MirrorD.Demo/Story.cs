using System.Diagnostics;
using System.Security.Cryptography;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;
using MirrorD.Lab.Witness;

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
        Autoswitch = null,
        OnPeerLoss = "auto",
        LinkTimeout = null,
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
        LosePrimary();
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

    private void LosePrimary()
    {
        narrator.Chapter("Host a is cut off and killed; nobody types a command");
        using var onA = new ServiceEcho(lab.A);
        using var onB = new ServiceEcho(lab.B);
        using var client = new ServiceClient(lab.Client);
        Wait.For("an answer of a", 20, () => client.Last == "a");
        narrator.Say($"The client keeps a TCP connection to {Address}, port {ServiceEcho.Port}; a answers.");
        narrator.Say($"client's neighbour table: {Address} is at {lab.Client.Neighbour(Address)} (a)");
        narrator.Say(
            "b misses a after dead-after (3 s), and waits as long again: until a, if it lived, must have noticed.");
        _pair.A.LoseHost();
        _pair.B.WaitFor("to take over", 30, view => view.IsPrimary);
        Wait.For("an answer of b", 30, () => client.Last == "b", () => lab.Logs());
        string expected = lab.B.HardwareAddress(Host.ProductionInterface);
        Wait.For("the client to know the new place", 20, () => lab.Client.Neighbour(Address) == expected);
        narrator.Say($"client's neighbour table: {Address} is at {lab.Client.Neighbour(Address)} (b)");
        Wait.For("the record of the takeover", 20, () => _pair.B.History() is [.., { Kind: "takeover" }]);
        Control(_pair.B, "history", Pair.ResourceName);
        narrator.Shown(
            "b took over by itself",
            $"the client's TCP service answers again after {client.Interruption.TotalSeconds:0.0} s");

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
        _pair.A.BringHostBack();
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
