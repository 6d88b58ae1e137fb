namespace MirrorD.Lab.Clients;

/// <summary>
/// Random writes of stamped blocks with flushes and FUA in between, many in flight, never two on one block;
/// keeps for each block what was issued, acknowledged and flushed, and can tell which contents are legal.
/// </summary>
public sealed class StampedWorkload
{
    private const int Depth = 16;
    private const int FlushEvery = 40;
    private const ulong FlushCookie = ulong.MaxValue;

    private readonly Random _random;
    private readonly int _blockCount;
    private readonly long[] _issued;
    private readonly long[] _acknowledged;
    private readonly long[] _flushed;
    private readonly HashSet<int> _inFlight = [];

    // Torn by a power cut and not written since.
    private readonly HashSet<int> _torn = [];
    private long _nextSequence = 1;
    private volatile bool _stopping;
    private volatile bool _flushesNoMore;
    private volatile bool _isFlushing;
    private Thread? _thread;

    /// <summary>A workload over the first blocks of an export.</summary>
    public StampedWorkload(int blockCount, int seed)
    {
        _blockCount = blockCount;
        _random = new Random(seed);
        _issued = new long[_blockCount];
        _acknowledged = new long[_blockCount];
        _flushed = new long[_blockCount];
    }

    /// <summary>Writes acknowledged so far.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>Writes acknowledged since the last acknowledged flush.</summary>
    public long AcknowledgedSinceFlush { get; private set; }

    /// <summary>
    /// From now on nothing is flushed, and writes enough for several flushes have been acknowledged since: some are
    /// certain to lie in a volatile cache.
    /// </summary>
    public bool HasMuchUnflushed => _flushesNoMore && !_isFlushing && AcknowledgedSinceFlush > 5 * FlushEvery;

    /// <summary>Flushes acknowledged so far.</summary>
    public long Flushes { get; private set; }

    /// <summary>Blocks with a write that was not answered when the connection broke.</summary>
    public int InFlight => _inFlight.Count;

    /// <summary>Why it ended, when a connection broke or a request failed; null after a wished end.</summary>
    public string? Broken { get; private set; }

    /// <summary>Starts writing on a thread of its own.</summary>
    public void Start(string socketPath)
    {
        _stopping = false;
        Broken = null;
        _inFlight.Clear();
        _thread = new Thread(() => Run(socketPath)) { IsBackground = true, Name = "stamped workload" };
        _thread.Start();
    }

    /// <summary>Ends after the answers of what is in flight.</summary>
    public void Stop()
    {
        _stopping = true;
        WaitForEnd();
    }

    /// <summary>Waits until the thread has ended, e.g. because the daemon was killed.</summary>
    public void WaitForEnd() =>
        Wait.For("the workload to end", 60, () => !_thread!.IsAlive);

    /// <summary>
    /// Compares an export with what may be there, then flushes and takes what was seen as the least that
    /// must be there from now on. Returns the complaints, empty when all is well.
    /// </summary>
    /// <param name="socketPath">The export.</param>
    /// <param name="powerWasCut">
    /// Then acknowledged writes that no flush covered may be lost, and blocks may be torn at a sector.
    /// </param>
    public IReadOnlyList<string> Verify(string socketPath, bool powerWasCut)
    {
        using NbdConnection connection = NbdConnection.Connect(socketPath);
        var complaints = new List<string>();
        byte[] chunk = new byte[64 * Stamp.BlockBytes];
        for (int first = 0; first < _blockCount; first += 64)
        {
            int count = Math.Min(64, _blockCount - first);
            Span<byte> read = chunk.AsSpan(0, count * Stamp.BlockBytes);
            connection.Read(first * (long)Stamp.BlockBytes, read);
            for (int index = 0; index < count; index++)
            {
                ReadOnlySpan<byte> block = read.Slice(index * Stamp.BlockBytes, Stamp.BlockBytes);
                if (Complaint(block, first + index, powerWasCut) is string complaint)
                {
                    complaints.Add(complaint);
                }
            }
        }

        connection.Flush();
        Array.Copy(_acknowledged, _flushed, _blockCount);
        return complaints;
    }

    private string? Complaint(ReadOnlySpan<byte> block, int index, bool powerWasCut)
    {
        long least = powerWasCut ? _flushed[index] : _acknowledged[index];
        long lowest = long.MaxValue;
        long highest = 0;
        for (int sector = 0; sector < Stamp.BlockBytes / Stamp.SectorBytes; sector++)
        {
            long? sequence = Stamp.Read(block, index, sector);
            if (sequence is null || sequence < least || sequence > _issued[index])
            {
                string seen = sequence is null ? "foreign data" : $"write {sequence}";
                return $"block {index} sector {sector}: {seen}, legal are {least} to {_issued[index]} " +
                    $"(acknowledged {_acknowledged[index]}, flushed {_flushed[index]})";
            }

            lowest = Math.Min(lowest, sequence.Value);
            highest = Math.Max(highest, sequence.Value);
        }

        if (lowest != highest && powerWasCut)
        {
            _torn.Add(index);
        }
        else if (lowest != highest && !_torn.Contains(index))
        {
            return $"block {index} is torn between writes {lowest} and {highest}";
        }

        _acknowledged[index] = lowest;
        return null;
    }

    private void Run(string socketPath)
    {
        try
        {
            using NbdConnection connection = NbdConnection.Connect(socketPath);
            WriteUntilStopped(connection);
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException)
        {
            Broken = exception.Message;
        }
    }

    /// <summary>Sends no flush any more.</summary>
    public void FlushNoMore() => _flushesNoMore = true;

    private void WriteUntilStopped(NbdConnection connection)
    {
        byte[] block = new byte[Stamp.BlockBytes];
        var writes = new Dictionary<ulong, (int Block, long Sequence, bool Durable)>();
        long[]? coveredByFlush = null;
        int sinceFlush = 0;
        while (!_stopping || writes.Count > 0 || coveredByFlush is not null)
        {
            while (!_stopping && writes.Count < Depth)
            {
                int index = _random.Next(_blockCount);
                if (!_inFlight.Add(index))
                {
                    continue;
                }

                long sequence = _nextSequence++;
                bool durable = _random.Next(50) == 0;
                _issued[index] = sequence;
                Stamp.Fill(block, index, sequence);
                writes.Add((ulong)sequence, (index, sequence, durable));
                connection.Send(
                    NbdConnection.WriteCommand, durable ? NbdConnection.ForceUnitAccess : (ushort)0,
                    (ulong)sequence, index * (long)Stamp.BlockBytes, Stamp.BlockBytes, block);
                sinceFlush++;
            }

            // A flush covers what was acknowledged when it was sent.
            if (sinceFlush >= FlushEvery && coveredByFlush is null && !_stopping && !_flushesNoMore)
            {
                _isFlushing = true;
                coveredByFlush = [.. _acknowledged];
                connection.Send(NbdConnection.FlushCommand, 0, FlushCookie, 0, 0);
                sinceFlush = 0;
            }

            (ulong cookie, uint error) = connection.ReceiveReply();
            if (error != 0)
            {
                throw new InvalidDataException($"a request ended with NBD error {error}");
            }

            if (cookie == FlushCookie)
            {
                for (int index = 0; index < _blockCount; index++)
                {
                    _flushed[index] = Math.Max(_flushed[index], coveredByFlush![index]);
                }

                coveredByFlush = null;
                _isFlushing = false;
                Flushes++;
                AcknowledgedSinceFlush = 0;
                continue;
            }

            (int written, long number, bool wasDurable) = writes[cookie];
            writes.Remove(cookie);
            _inFlight.Remove(written);
            _torn.Remove(written);
            _acknowledged[written] = number;
            if (wasDurable)
            {
                _flushed[written] = number;
            }

            Acknowledged++;
            AcknowledgedSinceFlush++;
        }
    }
}
