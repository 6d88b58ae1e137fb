namespace MirrorD.Formats;

/// <summary>Identifier of a data history (safety contract, section 4). Zero is "none" and never matches.</summary>
public readonly record struct Generation(ulong Value)
{
    /// <summary>No generation.</summary>
    public static readonly Generation None;

    /// <summary>True for zero.</summary>
    public bool IsNone => Value == 0;

    /// <summary>Same history; "none" matches nothing, not even itself.</summary>
    public bool Matches(Generation other) => Value != 0 && Value == other.Value;

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16");
}

/// <summary>Identifier agreed on every join and stored by both nodes. Zero is "never joined".</summary>
public readonly record struct SessionId(ulong Value)
{
    /// <summary>Never joined.</summary>
    public static readonly SessionId None;

    /// <summary>True for zero.</summary>
    public bool IsNone => Value == 0;

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16");
}

/// <summary>Stable identity of a node.</summary>
public readonly record struct NodeId(Guid Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}

/// <summary>Names one run of a host (/proc/sys/kernel/random/boot_id).</summary>
public readonly record struct BootId(Guid Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}
