namespace MirrorD.Io.Linux;

/// <summary>Makes the loops of a program, all of one kind.</summary>
public sealed class LoopFactory
{
    private LoopFactory(LoopKind kind, string? refusal)
    {
        Kind = kind;
        Refusal = refusal;
    }

    /// <summary>What its loops are.</summary>
    public LoopKind Kind { get; }

    /// <summary>
    /// Why it is not io_uring, with the likely cause and remedy; null where io_uring was not refused, or not tried.
    /// </summary>
    public string? Refusal { get; }

    /// <summary>Of a kind; nothing is tried.</summary>
    public static LoopFactory Of(LoopKind kind) => new(kind, null);

    /// <summary>io_uring where this process may use it, which is tried once; else epoll.</summary>
    public static LoopFactory BestHere()
    {
        try
        {
            return UringOrThrow();
        }
        catch (IOException refused)
        {
            return new LoopFactory(LoopKind.Epoll, refused.Message);
        }
    }

    /// <summary>io_uring, which is tried once.</summary>
    /// <exception cref="IOException">It is refused; the message has the likely cause and remedy.</exception>
    public static LoopFactory UringOrThrow()
    {
        new UringLoop(entries: 1).Dispose();
        return new LoopFactory(LoopKind.Uring, null);
    }

    /// <summary>A new loop.</summary>
    /// <exception cref="IOException">The kernel refuses it; the message says why.</exception>
    public LinuxLoop Create() => Kind switch
    {
        LoopKind.Uring => new UringLoop(),
        LoopKind.Epoll => new EpollLoop(),
        _ => throw new InvalidOperationException($"There is no loop of the kind {Kind}."),
    };
}
