using System.Numerics;
using System.Runtime.InteropServices;

namespace MirrorD.Io.Simulated;

/// <summary>
/// A disk with a volatile write cache. Reads see each completed write. A power cut keeps what was durable
/// (written durably, or completed before a flush was submitted that then completed) and of everything
/// younger, operations in flight included, each 512-byte sector or not, as the seed decides. A killed process
/// loses nothing that completed; what it had in flight lands wholly, partly or not at all.
/// </summary>
public sealed partial class SimulatedDisk : IDisk
{
    /// <summary>What is kept or lost as one at a power cut.</summary>
    public const int SectorBytes = 512;

    /// <summary>The cache writes back by itself when it holds more than this.</summary>
    private const long CacheBytes = 64L * 1024 * 1024;

    /// <summary>How long a disk that answers again takes for the last of what it has, in nanoseconds.</summary>
    private const long LongestDelayNs = 50_000_000;

    private readonly SimulatedWorld _world;
    private readonly DiskImage _visible;
    private readonly DiskImage _durable;
    private long _enlargedBytes;
    private readonly List<DiskOperation> _inFlight = [];
    private readonly LinkedList<CachedWrite> _cache = new();
    private readonly List<DiskOperation> _hanging = [];
    private readonly Queue<CachedWrite> _durableInCache = new();
    private long _cachedBytes;
    private ulong _completions;
    private bool _hangs;

    internal SimulatedDisk(SimulatedWorld world, string name, long lengthBytes, int logicalBlockBytes)
    {
        _world = world;
        Name = name;
        LengthBytes = lengthBytes;
        LogicalBlockBytes = logicalBlockBytes;
        _visible = new DiskImage(lengthBytes);
        _durable = new DiskImage(lengthBytes);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long LengthBytes { get; private set; }

    /// <inheritdoc/>
    public void LookAgain() => LengthBytes = Math.Max(LengthBytes, _enlargedBytes);

    /// <summary>An administrator makes the disk larger; who has it open sees that when looking again.</summary>
    public void Enlarge(long lengthBytes)
    {
        _enlargedBytes = lengthBytes;
        _visible.Enlarge(lengthBytes);
        _durable.Enlarge(lengthBytes);
    }

    /// <inheritdoc/>
    public int LogicalBlockBytes { get; }

    /// <inheritdoc/>
    public bool CanDiscard { get; set; } = true;

    /// <summary>
    /// How long operations take, in nanoseconds from shortest to longest; a few take ten times longer.
    /// </summary>
    public (long Shortest, long Longest) LatencyNs { get; set; } = (10_000, 200_000);

    /// <summary>How long flushes and durable writes take on top.</summary>
    public (long Shortest, long Longest) FlushLatencyNs { get; set; } = (50_000, 2_000_000);

    /// <summary>
    /// Of the operations that begin in a range so many of a hundred take up to so much longer, each for itself: a disk
    /// that tries again.
    /// </summary>
    public (int Percent, long LongestNs, long Offset, long Length) Stutter { get; set; }

    /// <summary>
    /// Sectors in this range may be torn within when power goes while they are written: the first bytes are new, the rest
    /// is old. What lies here has checksums.
    /// </summary>
    public (long Offset, long Length) TearsWithin { get; set; }

    /// <summary>Sectors of <see cref="TearsWithin"/> that were torn.</summary>
    public int TornSectors { get; private set; }

    /// <summary>Told of each mutation as it is submitted: offset and length.</summary>
    public Action<long, long>? Submitted { get; set; }

    /// <summary>
    /// Asked at each completion with kind, offset and length; a positive errno makes the operation fail
    /// without effect.
    /// </summary>
    public Func<OperationKind, long, long, int>? Fault { get; set; }

    /// <summary>
    /// The disk answers nothing until this is false again; then it carries out what it has, in any order.
    /// </summary>
    public bool Hangs
    {
        get => _hangs;
        set
        {
            _hangs = value;
            DiskOperation[] late = value ? [] : [.. _hanging];
            _hanging.RemoveAll(late.Contains);
            foreach (DiskOperation pending in late)
            {
                pending.Loop.After(_world.Random.Between(1, LongestDelayNs), () => Finish(pending));
            }
        }
    }

    /// <summary>
    /// Told after each change of what reads see: offset and length; the whole disk after a power cut.
    /// </summary>
    public Action<long, long>? Changed { get; set; }

    /// <summary>Operations submitted and not completed.</summary>
    public int OperationsInFlight => _inFlight.Count;

    /// <inheritdoc/>
    public void Close()
    {
        if (_inFlight.Count > 0)
        {
            throw new InvalidOperationException(
                $"{Name} was closed with {_inFlight.Count} operations pending.");
        }
    }

    /// <summary>For a checker: what a read would see now.</summary>
    public void Peek(long offset, Span<byte> into) => _visible.Read(offset, into);

    /// <summary>
    /// For a checker: what a power cut now would leave at the least (younger sectors may survive too).
    /// </summary>
    public void PeekDurable(long offset, Span<byte> into)
    {
        _durable.Read(offset, into);
        foreach (CachedWrite write in _durableInCache)
        {
            long from = Math.Max(offset, write.Offset);
            long to = Math.Min(offset + into.Length, write.Offset + write.Length);
            if (from < to)
            {
                write.Data.AsSpan((int)(from - write.Offset), (int)(to - from))
                    .CopyTo(into[(int)(from - offset)..]);
            }
        }
    }

    /// <summary>For the set-up of a scenario, or for damage: contents that are durable at once.</summary>
    public void Put(long offset, ReadOnlySpan<byte> bytes)
    {
        WriteBack(_completions);
        _visible.Write(offset, bytes);
        _durable.Write(offset, bytes);
        Changed?.Invoke(offset, bytes.Length);
    }

    internal void Submit(
        SimulatedLoop loop, IoOperation operation, long offset, long length, BufferSlice data, bool durable,
        bool unmap)
    {
        if (loop.IsDead)
        {
            return;
        }

        int refusal = Refusal(operation.Kind, offset, length, data);
        if (refusal != 0)
        {
            loop.CompleteSoon(operation, -refusal);
            return;
        }

        var pending = new DiskOperation(loop, operation, offset, length, data, durable, unmap, _completions)
        {
            Checksum = operation.Kind == OperationKind.Write ? Checksum(data.Span) : 0,
        };
        _inFlight.Add(pending);
        loop.After(LatencyOf(pending), () => Finish(pending));
        if (pending.Mutates)
        {
            Submitted?.Invoke(offset, length);
        }
    }

    private int Refusal(OperationKind kind, long offset, long length, BufferSlice data)
    {
        if (kind == OperationKind.Flush)
        {
            return 0;
        }

        if (kind == OperationKind.Discard && !CanDiscard)
        {
            return Errno.EOPNOTSUPP;
        }

        bool inside = offset >= 0 && length > 0 && offset <= LengthBytes - length;
        bool aligned = kind == OperationKind.Allocation
            || (offset % LogicalBlockBytes == 0 && length % LogicalBlockBytes == 0
                && data.Address % LogicalBlockBytes == 0);
        return inside && aligned ? 0 : Errno.EINVAL;
    }

    private long LatencyOf(DiskOperation pending)
    {
        SeededRandom random = _world.Random;
        long latencyNs = random.Between(LatencyNs.Shortest, LatencyNs.Longest);
        if (pending.Kind == OperationKind.Flush || pending.Durable)
        {
            latencyNs += random.Between(FlushLatencyNs.Shortest, FlushLatencyNs.Longest);
        }

        latencyNs = random.Percent(3) ? latencyNs * 10 : latencyNs;
        bool mayStutter = Stutter.Percent > 0 && pending.Offset >= Stutter.Offset
            && pending.Offset < Stutter.Offset + Stutter.Length;
        return mayStutter && random.Percent(Stutter.Percent)
            ? latencyNs + random.Between(0, Stutter.LongestNs) : latencyNs;
    }

    private void Finish(DiskOperation pending)
    {
        if (_hangs)
        {
            _hanging.Add(pending);
            return;
        }

        _inFlight.Remove(pending);
        IoOperation operation = pending.Operation;
        int fault = Fault?.Invoke(pending.Kind, pending.Offset, pending.Length) ?? 0;
        if (fault != 0)
        {
            operation.Complete(-fault);
            return;
        }

        switch (pending.Kind)
        {
            case OperationKind.Read:
                _visible.Read(pending.Offset, pending.Bytes);
                operation.Complete((int)pending.Length);
                break;
            case OperationKind.Write:
                if (Checksum(pending.Bytes) != pending.Checksum)
                {
                    throw new InvalidOperationException(
                        $"{Name}: the buffer of a write at {pending.Offset} changed before it completed.");
                }

                Land(pending, pending.Bytes, pending.Durable);
                Changed?.Invoke(pending.Offset, pending.Length);
                operation.Complete((int)pending.Length);
                break;
            case OperationKind.Discard when _world.Random.Percent(25):
                // A discard is a hint: what is read afterwards is undefined.
                operation.Complete(0);
                break;
            case OperationKind.Zero or OperationKind.Discard:
                Land(pending, default, durable: false);
                Changed?.Invoke(pending.Offset, pending.Length);
                operation.Complete(0);
                break;
            case OperationKind.Flush:
                WriteBack(pending.CompletionsBefore);
                operation.Complete(0);
                break;
            case OperationKind.Allocation:
                long longest = Math.Min(pending.Length, 1L << 30);
                long run = _visible.RunAt(pending.Offset, longest, out bool isHole);
                operation.Complete((int)run, isHole: isHole);
                break;
            default:
                throw new InvalidOperationException($"A disk can't {pending.Kind}.");
        }
    }

    /// <summary>Only for comparison with itself. Four lanes, since each step waits for the one before it.</summary>
    private static ulong Checksum(ReadOnlySpan<byte> bytes)
    {
        const ulong prime = 1099511628211;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        (ulong a, ulong b, ulong c, ulong d) = (1, 2, 3, 4);
        for (; words.Length >= 4; words = words[4..])
        {
            a = (a ^ words[0]) * prime;
            b = (b ^ words[1]) * prime;
            c = (c ^ words[2]) * prime;
            d = (d ^ words[3]) * prime;
        }

        foreach (ulong word in words)
        {
            a = (a ^ word) * prime;
        }

        return a ^ BitOperations.RotateLeft(b, 16) ^ BitOperations.RotateLeft(c, 32) ^ BitOperations.RotateLeft(d, 48);
    }
}
