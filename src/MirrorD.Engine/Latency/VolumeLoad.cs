using MirrorD.Core.Volumes;

namespace MirrorD.Engine.Latency;

/// <summary>
/// What the clients of a volume have asked for since the daemon started, and where the time went. The loop's thread counts,
/// any thread reads.
/// </summary>
/// <param name="name">Name of the volume.</param>
public sealed class VolumeLoad(string name)
{
    private static readonly int s_stages = Enum.GetValues<LatencyStage>().Length;

    private readonly LatencyHistogram?[] _times = Histograms();
    private long _readBytes;
    private long _writtenBytes;
    private long _begun;
    private long _ended;

    /// <summary>Name of the volume.</summary>
    public string Name => name;

    /// <summary>Bytes of reads that succeeded.</summary>
    public long ReadBytes => Volatile.Read(ref _readBytes);

    /// <summary>Bytes of writes that succeeded; zeroes and discards have none.</summary>
    public long WrittenBytes => Volatile.Read(ref _writtenBytes);

    /// <summary>Requests that are in work at this moment.</summary>
    public long InWork => Math.Max(0, Volatile.Read(ref _begun) - Volatile.Read(ref _ended));

    /// <summary>The times of a stage; null where requests of this kind do not have it.</summary>
    public LatencyHistogram? Of(LatencyOperation operation, LatencyStage stage) =>
        _times[((int)operation * s_stages) + (int)stage];

    /// <summary>Counts one time of a stage that requests of this kind have.</summary>
    internal void Record(LatencyOperation operation, LatencyStage stage, long tookNs) => Of(operation, stage)!.Record(tookNs);

    /// <summary>The replica gets a request.</summary>
    internal void Begin() => _begun++;

    /// <summary>The replica is done with a request.</summary>
    internal void End(IoRequest request, int error)
    {
        _ended++;
        if (error != 0)
        {
            return;
        }

        if (request.Operation == VolumeOperation.Read)
        {
            _readBytes += request.LengthBytes;
        }
        else if (request.Operation == VolumeOperation.Write)
        {
            _writtenBytes += request.LengthBytes;
        }
    }

    private static LatencyHistogram?[] Histograms()
    {
        var all = new LatencyHistogram?[Enum.GetValues<LatencyOperation>().Length * s_stages];
        foreach (LatencyOperation operation in Enum.GetValues<LatencyOperation>())
        {
            foreach (LatencyStage stage in Enum.GetValues<LatencyStage>())
            {
                all[((int)operation * s_stages) + (int)stage] = Has(operation, stage) ? new LatencyHistogram() : null;
            }
        }

        return all;
    }

    private static bool Has(LatencyOperation operation, LatencyStage stage) => operation switch
    {
        LatencyOperation.Write => true,
        LatencyOperation.Read => stage is LatencyStage.Queue or LatencyStage.LocalDisk or LatencyStage.Reply or LatencyStage.Total,
        LatencyOperation.Flush => stage is LatencyStage.Reply or LatencyStage.Total,
    };
}
