using System.Text.Json;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Benchmarks;

/// <summary>A pair with disks in memory, in a lab of its own.</summary>
internal sealed class MeasuredPair : IDisposable
{
    private const int Seconds = 4;
    private readonly Lab.Lab _lab = new();
    private readonly Pair _pair;

    /// <summary>Starts it.</summary>
    /// <param name="encryption">"on" or "off".</param>
    public MeasuredPair(string encryption)
    {
        foreach (Host host in (Host[])[_lab.A, _lab.B])
        {
            Tool.Run("mount", "-t", "tmpfs", "tmpfs", host.Directory).Require();
            _lab.AtEnd(() => Tool.Run("umount", "--lazy", host.Directory));

            // Its files are on what lies below now.
            host.Boot();
        }

        _pair = new Pair(_lab, new PairOptions { DiskBytes = 160L << 20, ResourceLines = [$"encryption: {encryption}"] });
        _pair.StartJoinedWithPrimaryA();
    }

    /// <summary>Measures once.</summary>
    /// <returns>Each figure with its name and unit.</returns>
    public IEnumerable<(string Name, double Value)> Run(Workload workload)
    {
        ToolResult result = NbdTools.Fio(
            "--name=writes", "--ioengine=nbd", $"--uri={NbdTools.Uri(_pair.A.Export())}", "--rw=write", $"--bs={workload.BlockSize}",
            $"--iodepth={workload.Depth}", "--size=128m", "--time_based", $"--runtime={Seconds}", "--ramp_time=1",
            "--output-format=json").Require();
        using JsonDocument document = JsonDocument.Parse(result.Output[result.Output.IndexOf('{')..]);
        JsonElement writes = document.RootElement.GetProperty("jobs")[0].GetProperty("write");
        if (workload.IsThroughput)
        {
            yield return ($"{workload} MB/s", writes.GetProperty("bw_bytes").GetDouble() / 1e6);
            yield break;
        }

        JsonElement percentiles = writes.GetProperty("clat_ns").GetProperty("percentile");
        foreach (string percentile in (string[])["50", "99"])
        {
            yield return (
                $"{workload} p{percentile} us", percentiles.GetProperty($"{percentile}.000000").GetDouble() / 1000);
        }
    }

    public void Dispose() => _lab.Dispose();
}
