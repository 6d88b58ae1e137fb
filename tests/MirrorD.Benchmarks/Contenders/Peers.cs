using System.Globalization;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;

namespace MirrorD.Benchmarks.Contenders;

/// <summary>What else serves blocks on this system, and the hardware without anybody in between.</summary>
internal static class Peers
{
    private static int s_ports = 10809;
    private static int s_sockets;

    /// <summary>fio's arguments for an NBD export.</summary>
    public static IReadOnlyList<string> OverNbd(string uri) => ["--ioengine=nbd", $"--uri={uri}"];

    /// <summary>A file, without anybody in between.</summary>
    public static Contender Raw(Ground ground) => new(
        "raw", ["--ioengine=libaio", "--direct=1", $"--filename={ground.File(ground.Lab.A)}"], () => []);

    /// <summary>Two files at the same time, each of which gets all the work.</summary>
    public static Contender RawTwice(Ground ground)
    {
        // A job of fio for each; the first one's file is in the common part.
        string[] files = [ground.File(ground.Lab.A), ground.File(ground.Lab.B)];
        return new Contender(
            "raw, two files",
            [
                "--ioengine=libaio", "--direct=1", "--numjobs=2", "--filename_format=$jobnum",
                $"--directory={Link(ground, files)}",
            ],
            () => [], files: 2);
    }

    /// <summary>nbdkit with its file plugin.</summary>
    public static Contender Nbdkit(Ground ground)
    {
        string socket = Socket(ground);
        LabProcess process = ground.Lab.A.Start(
            "nbdkit", "nbdkit", "-f", "-U", socket, "--filter=noextents", "file", ground.File(ground.Lab.A));
        WaitForSocket(process, socket);
        return new Contender("nbdkit", OverNbd(NbdTools.Uri(socket)), () => [process]);
    }

    /// <summary>qemu-nbd with direct I/O.</summary>
    public static Contender QemuNbd(Ground ground)
    {
        string socket = Socket(ground);
        LabProcess process = ground.Lab.A.Start(
            "qemu-nbd", "qemu-nbd", "-f", "raw", "-t", "-e", "8", "-k", socket, "--cache=none", "--aio=native",
            ground.File(ground.Lab.A));
        WaitForSocket(process, socket);
        return new Contender("qemu-nbd", OverNbd(NbdTools.Uri(socket)), () => [process]);
    }

    /// <summary>qemu-storage-daemon that writes to a file and over NBD to nbdkit on the other host.</summary>
    public static Contender Quorum(Ground ground)
    {
        Host there = ground.Lab.B;
        string port = Port();
        LabProcess back = there.Start(
            "nbdkit", "nbdkit", "-f", "-i", there.DedicatedAddress!, "-p", port, "--filter=noextents", "file",
            ground.File(there));
        WaitForPort(there, back, port);
        string socket = Socket(ground);
        LabProcess front = ground.Lab.A.Start(
            "quorum", "qemu-storage-daemon",
            "--blockdev", $"driver=file,node-name=here,filename={ground.File(ground.Lab.A)},cache.direct=on,aio=native",
            "--blockdev",
            $"driver=nbd,node-name=there,server.type=inet,server.host={there.DedicatedAddress},server.port={port}",
            "--blockdev",
            "driver=quorum,node-name=both,vote-threshold=2,read-pattern=fifo,children.0=here,children.1=there",
            "--nbd-server", $"addr.type=unix,addr.path={socket}",
            "--export", "type=nbd,id=export,node-name=both,name=data,writable=on");
        WaitForSocket(front, socket);
        return new Contender("quorum", OverNbd($"nbd+unix:///data?socket={socket}"), () => [front, back]);
    }

    /// <summary>The C program that passes requests along the same hops (hops.c), one at a time.</summary>
    public static Contender Hops(Ground ground)
    {
        string program = Path.Combine(ground.Lab.Directory, "hops");
        Tool.Run("gcc", "-O2", "-o", program, Path.Combine(AppContext.BaseDirectory, "hops.c")).Require();
        Host there = ground.Lab.B;
        string port = Port();
        LabProcess back = there.Start("hops", program, "back", there.DedicatedAddress!, port, ground.File(there));
        back.WaitForOutput("ready", 10);
        string socket = Socket(ground);
        LabProcess front = ground.Lab.A.Start(
            "hops", program, "front", socket, there.DedicatedAddress!, port, ground.File(ground.Lab.A));
        front.WaitForOutput("ready", 10);
        return new Contender("C, same hops", OverNbd(NbdTools.Uri(socket)), () => [front, back]);
    }

    private static string Port() => (s_ports++).ToString(CultureInfo.InvariantCulture);

    private static string Socket(Ground ground) => Path.Combine(ground.Lab.Directory, $"s{s_sockets++}");

    // fio takes the number of a job for the name of its file.
    private static string Link(Ground ground, string[] files)
    {
        string directory = Path.Combine(ground.Lab.Directory, "raw-twice");
        Directory.CreateDirectory(directory);
        for (int i = 0; i < files.Length; i++)
        {
            System.IO.File.CreateSymbolicLink(Path.Combine(directory, $"{i}"), files[i]);
        }

        return directory;
    }

    private static void WaitForSocket(LabProcess process, string socket) => Wait.For(
        $"{process.Name} to listen", 20,
        () => Tool.Run("nbdinfo", "--list", NbdTools.Uri(socket)).Succeeded, () => process.Tail());

    private static void WaitForPort(Host host, LabProcess process, string port) => Wait.For(
        $"{process.Name} to listen", 20,
        () => host.Run("nbdinfo", $"nbd://{host.DedicatedAddress}:{port}").Succeeded, () => process.Tail());
}
