using MirrorD.Lab.Clients;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>The NBD clients that people use, on a mirrored volume.</summary>
public sealed class CommonClientsTests : PairTest
{
    private const int DataBytes = 24 << 20;

    [HostFact]
    public void Nbdinfo_nbdcopy_and_the_qemu_tools_read_back_what_they_wrote_and_both_copies_agree()
    {
        Pair pair = StartPair();
        string socket = pair.A.Export();
        string uri = NbdTools.Uri(socket);
        long lengthBytes = pair.A.Status().LengthBytes("data");

        Assert.Contains($"\"export-size\": {lengthBytes}", NbdTools.Info(socket, "--json").Require().Output);
        Assert.Equal($"{lengthBytes}", NbdTools.Info(socket, "--size").Require().Output.Trim());
        NbdTools.Info(socket, "--map").Require();
        NbdTools.Info(socket, "--list").Require();

        string original = RandomFile("original");
        NbdTools.Copy(original, uri).Require();
        string back = Path.Combine(Lab.Directory, "back");
        NbdTools.Copy(uri, back).Require();
        AssertBeginsEqual(original, back);

        string second = RandomFile("second");
        NbdTools.Convert(second, uri).Require();
        string image = BackingFile.Create(Path.Combine(Lab.Directory, "image"), lengthBytes);
        NbdTools.Convert(uri, image).Require();
        NbdTools.Compare(image, uri).Require();
        AssertBeginsEqual(second, image);

        ToolResult qemu = NbdTools.QemuIo(
            socket, "write -P 7 1M 64k", "write -f -P 8 2M 4k", "write -z 1100k 4k", "discard 3M 1M", "flush",
            "read -P 7 1M 64k", "read -P 0 1100k 4k", "read -P 8 2M 4k").Require();
        Assert.DoesNotContain("Pattern verification failed", qemu.Text);

        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void Four_clients_of_fio_verify_their_data_and_both_copies_agree()
    {
        Pair pair = StartPair();
        NbdTools.Fio(NbdTools.FioVerify(pair.A.Export(), clients: 4, bytesPerClient: 16 << 20)).Require();
        WaitUntilIdentical(pair);
    }

    private string RandomFile(string name)
    {
        string path = Path.Combine(Lab.Directory, name);
        byte[] bytes = new byte[DataBytes];
        new Random(name.Length).NextBytes(bytes);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static void AssertBeginsEqual(string one, string other) =>
        Tool.Run("cmp", "-n", $"{DataBytes}", one, other).Require();
}
