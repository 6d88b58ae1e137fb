namespace MirrorD.Simulator.Oracle;

/// <summary>What a mutation leaves.</summary>
public enum MutationKind
{
    /// <summary>Stamped sectors.</summary>
    Write,
    /// <summary>Zeroes.</summary>
    Zero,
    /// <summary>Anything.</summary>
    Discard,
}

/// <summary>
/// One write, zero or discard of a client, as the oracle remembers it. Times are those of the oracle's own
/// clock, which ticks at each thing that it is told.
/// </summary>
public sealed class Mutation
{
    /// <summary>The contents before the first write: zeroes since ever.</summary>
    public static readonly Mutation Beginning =
        new() { Kind = MutationKind.Zero, EndedAt = 0, IsAcknowledged = true };

    /// <summary>Number, from 1; 0 is <see cref="Beginning"/>.</summary>
    public long Number { get; init; }

    /// <summary>What it leaves.</summary>
    public MutationKind Kind { get; init; }

    /// <summary>Volume number.</summary>
    public int Volume { get; init; }

    /// <summary>First sector.</summary>
    public long FirstSector { get; init; }

    /// <summary>Sectors.</summary>
    public int Sectors { get; init; }

    /// <summary>It was to be durable by itself.</summary>
    public bool ForceUnitAccess { get; init; }

    /// <summary>When it was submitted.</summary>
    public long SubmittedAt { get; internal set; }

    /// <summary>From when on it can't take effect any more: its reply, or the death of its node.</summary>
    public long EndedAt { get; internal set; } = long.MaxValue;

    /// <summary>It was acknowledged; otherwise it may have taken effect or not.</summary>
    public bool IsAcknowledged { get; internal set; }

    /// <summary>The stamp that it leaves in each sector; 0 for zeroes, -1 for anything.</summary>
    public long Leaves => Kind switch
    {
        MutationKind.Write => Number,
        MutationKind.Zero => 0,
        MutationKind.Discard => -1,
    };

    /// <summary>Certainly over when the other one began.</summary>
    public bool IsBefore(Mutation later) => EndedAt < later.SubmittedAt;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Kind} {Number} of sectors {FirstSector}+{Sectors} of volume {Volume} [{SubmittedAt}, "
        + $"{(EndedAt == long.MaxValue ? "…" : EndedAt)}]{(IsAcknowledged ? " acknowledged" : "")}";
}
