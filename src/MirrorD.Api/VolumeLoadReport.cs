namespace MirrorD.Api;

/// <summary>The load of a volume on this node.</summary>
public sealed record VolumeLoadReport
{
    /// <summary>Name of the resource.</summary>
    public required string Resource { get; init; }

    /// <summary>Name of the volume.</summary>
    public required string Volume { get; init; }

    /// <summary>Requests that are in work now, pieces of large ones each for itself.</summary>
    public required long InWork { get; init; }

    /// <summary>Bytes of reads that succeeded.</summary>
    public required long ReadBytes { get; init; }

    /// <summary>Bytes of writes that succeeded; zeroes and discards have none.</summary>
    public required long WrittenBytes { get; init; }

    /// <summary>The times of each stage.</summary>
    public required IReadOnlyList<StageTimesReport> Times { get; init; }
}
