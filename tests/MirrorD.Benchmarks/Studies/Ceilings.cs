using System.Text.Json;
using MirrorD.Benchmarks.Contenders;
using MirrorD.Lab;
using MirrorD.Lab.Processes;

namespace MirrorD.Benchmarks.Studies;

/// <summary>What the disk below the files and the link carry at most.</summary>
internal sealed class Ceilings
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(2);
    private readonly Ground _ground;
    private readonly string _one;
    private readonly string _other;

    /// <summary>Makes its files.</summary>
    public Ceilings(Ground ground)
    {
        _ground = ground;
        _one = ground.File(ground.Lab.A);
        _other = ground.File(ground.Lab.B);
    }

    /// <summary>Writes in order, each second.</summary>
    public double Write(double seconds) => Bytes(
        "write", Disk(seconds, ["--name=write", "--rw=write", $"--filename={_other}"]));

    /// <summary>Writes to one file, while another one is read as fast.</summary>
    public double Copy(double seconds)
    {
        string output = Disk(
            seconds,
            ["--name=read", "--rw=read", $"--filename={_one}", "--name=write", "--rw=write", $"--filename={_other}"]);
        return Math.Min(Bytes("read", output), Bytes("write", output));
    }

    /// <summary>What a TCP connection carries over the dedicated link.</summary>
    public double Link(double seconds)
    {
        const string Port = "7999";
        string[] words = ["--ioengine=net", "--protocol=tcp", $"--port={Port}", "--bs=128k", "--size=1t", "--time_based",
            Runtime(seconds), "--output-format=json"];
        LabProcess server = _ground.Lab.B.Start(
            "link-ceiling", "fio", ["--name=in", .. words, "--rw=read", "--listen"]);
        Wait.For("the connection's end to listen", 20, () => _ground.Lab.B.Run(
            "sh", "-c", $"ss -Hltn sport = :{Port} | grep -q .").Succeeded, () => server.Tail());
        string output = _ground.Lab.A.Run(
            "fio", ["--name=out", .. words, "--rw=write", $"--hostname={_ground.Lab.B.DedicatedAddress}"]).Output;
        server.WaitForExit(s_deadline.TotalSeconds);
        return Bytes("write", output);
    }

    private static string Disk(double seconds, IReadOnlyList<string> jobs) => Tool.RunWithin(
        s_deadline, "fio",
        [
            "--ioengine=libaio", "--direct=1", "--bs=128k", "--iodepth=8", "--time_based", Runtime(seconds),
            $"--size={Ground.DiskBytes}", "--group_reporting", "--output-format=json", .. jobs,
        ]).Require().Output;

    private static string Runtime(double seconds) => FormattableString.Invariant($"--runtime={seconds * 1000:0}ms");

    private static double Bytes(string direction, string output)
    {
        using JsonDocument document = JsonDocument.Parse(output[output.IndexOf('{')..]);
        return document.RootElement.GetProperty("jobs").EnumerateArray()
            .Sum(job => job.GetProperty(direction).GetProperty("bw_bytes").GetDouble());
    }
}
