namespace MirrorD.Io.Simulated;

/// <content>The volatile cache, and what crashes leave of it.</content>
public sealed partial class SimulatedDisk
{
    private readonly record struct CachedWrite(
        ulong Number, long Offset, long Length, byte[]? Data, bool Durable, bool Unmap);

    private sealed record DiskOperation(
        SimulatedLoop Loop, IoOperation Operation, long Offset, long Length, BufferSlice Data, bool Durable,
        bool Unmap, ulong CompletionsBefore)
    {
        // As the kernel has it: by address, whatever becomes of the buffer.
        private readonly IoMemory? _memory = Data.Buffer?.Memory;

        public OperationKind Kind { get; } = Operation.Kind;

        public Span<byte> Bytes => _memory is null ? default : _memory.Span.Slice(Data.OffsetBytes, Data.LengthBytes);

        public ulong Checksum { get; init; }

        public bool Mutates => Kind is OperationKind.Write or OperationKind.Zero or OperationKind.Discard;
    }

    internal void ProcessDied(SimulatedLoop loop)
    {
        List<DiskOperation> orphans = _inFlight.FindAll(pending => pending.Loop == loop);
        _inFlight.RemoveAll(pending => pending.Loop == loop);
        _hanging.RemoveAll(pending => pending.Loop == loop);
        Shuffle(orphans);
        foreach (DiskOperation orphan in orphans)
        {
            if (!orphan.Mutates)
            {
                continue;
            }

            int share = (int)_world.Random.Below(3) * 50;
            foreach ((long offset, int length) in KeptSectors(orphan.Offset, orphan.Length, share))
            {
                LandPart(orphan, offset, length);
            }
        }
    }

    internal void PowerCut()
    {
        // Of each younger sector version any one may have reached the medium: replay in order, keep some.
        int share = _world.Random.Below(5) switch { 0 => 0, 1 => 100, _ => (int)_world.Random.Below(101) };
        foreach (CachedWrite write in _cache)
        {
            int kept = write.Durable ? 100 : share;
            foreach ((long offset, int length) in KeptSectors(write.Offset, write.Length, kept))
            {
                Apply(_durable, write, offset, write.Durable ? length : Torn(offset, length));
            }
        }

        _cache.Clear();
        _durableInCache.Clear();
        _cachedBytes = 0;
        _visible.CopyFrom(_durable);
        Changed?.Invoke(0, LengthBytes);
    }

    /// <summary>Of a piece that is torn within, so many first bytes are new; often it is the first sector that is torn.</summary>
    private int Torn(long offset, int length)
    {
        bool mayTear = offset >= TearsWithin.Offset && offset + length <= TearsWithin.Offset + TearsWithin.Length;
        if (!mayTear || !_world.Random.Percent(50))
        {
            return length;
        }

        TornSectors++;
        int sector = _world.Random.Percent(50) ? 0 : _world.Random.Below(length / SectorBytes);
        return sector * SectorBytes + 8 * (int)_world.Random.Between(1, SectorBytes / 8 - 1);
    }

    private void Land(DiskOperation pending, ReadOnlySpan<byte> data, bool durable)
    {
        if (pending.Kind == OperationKind.Write)
        {
            _visible.Write(pending.Offset, data);
        }
        else
        {
            _visible.Zero(pending.Offset, pending.Length, pending.Unmap);
        }

        byte[]? copy = pending.Kind == OperationKind.Write ? data.ToArray() : null;
        Cache(new CachedWrite(++_completions, pending.Offset, pending.Length, copy, durable, pending.Unmap));
    }

    private void LandPart(DiskOperation orphan, long offset, int length)
    {
        byte[]? data = null;
        if (orphan.Kind == OperationKind.Write)
        {
            data = orphan.Bytes.Slice((int)(offset - orphan.Offset), length).ToArray();
            _visible.Write(offset, data);
        }
        else
        {
            _visible.Zero(offset, length, orphan.Unmap);
        }

        Cache(new CachedWrite(++_completions, offset, length, data, false, orphan.Unmap));
        Changed?.Invoke(offset, length);
    }

    private void Cache(CachedWrite write)
    {
        _cache.AddLast(write);
        if (write is { Durable: true, Data: not null })
        {
            _durableInCache.Enqueue(write);
        }

        _cachedBytes += write.Length;
        while (_cache.First is { } oldest && (oldest.Value.Durable || _cachedBytes > CacheBytes))
        {
            WriteBack(oldest.Value.Number);
        }
    }

    private void WriteBack(ulong upToNumber)
    {
        while (_cache.First is { } oldest && oldest.Value.Number <= upToNumber)
        {
            Apply(_durable, oldest.Value, oldest.Value.Offset, oldest.Value.Length);
            _cachedBytes -= oldest.Value.Length;
            _cache.RemoveFirst();
            if (_durableInCache.TryPeek(out CachedWrite durable) && durable.Number == oldest.Value.Number)
            {
                _durableInCache.Dequeue();
            }
        }
    }

    private static void Apply(DiskImage image, CachedWrite write, long offset, long length)
    {
        if (write.Data is null)
        {
            image.Zero(offset, length, write.Unmap);
        }
        else
        {
            image.Write(offset, write.Data.AsSpan((int)(offset - write.Offset), (int)length));
        }
    }

    private IEnumerable<(long Offset, int Length)> KeptSectors(long offset, long length, int share)
    {
        if (share >= 100)
        {
            yield return (offset, checked((int)length));
            yield break;
        }

        for (long at = offset; share > 0 && at < offset + length; at += SectorBytes)
        {
            if (_world.Random.Percent(share))
            {
                yield return (at, SectorBytes);
            }
        }
    }

    private void Shuffle(List<DiskOperation> operations)
    {
        for (int i = operations.Count - 1; i > 0; i--)
        {
            int other = _world.Random.Below(i + 1);
            (operations[i], operations[other]) = (operations[other], operations[i]);
        }
    }
}
