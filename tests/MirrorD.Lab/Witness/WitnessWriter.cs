using System.Diagnostics;
using MirrorD.Lab.Clients;

namespace MirrorD.Lab.Witness;

/// <summary>
/// Always tries to write through one node's export, whatever that node's role: one stamped write at a time, into an
/// area of its own, over a new connection whenever the old one breaks. Keeps what was acknowledged and when.
/// </summary>
public sealed class WitnessWriter
{
    /// <summary>Blocks of its area.</summary>
    public const int Blocks = 128;

    // Dense enough to see any instant at which a node serves, and leaves the machine to the daemons.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan ConnectPace = TimeSpan.FromMilliseconds(20);

    // Of all writers of this process: what an earlier one left in the area is older than anything of this one.
    private static long s_sequence;

    private readonly string _node;
    private readonly string _socketPath;
    private readonly int _firstBlock;
    private readonly long[] _issued = new long[Blocks];
    private readonly long[] _acknowledged = new long[Blocks];
    private readonly List<WitnessedWrite> _writes = [];
    private readonly ManualResetEventSlim _stop = new();
    private readonly Lock _gate = new();
    private NbdConnection? _connection;
    private Thread? _thread;
    private int _next;

    /// <summary>A writer to an area of <see cref="Blocks"/> blocks.</summary>
    /// <param name="node">Name of the node.</param>
    /// <param name="socketPath">The node's export.</param>
    /// <param name="firstBlock">Where the area begins.</param>
    public WitnessWriter(string node, string socketPath, int firstBlock)
    {
        _node = node;
        _socketPath = socketPath;
        _firstBlock = firstBlock;
    }

    /// <summary>All acknowledged writes so far, in the order of their replies.</summary>
    public IReadOnlyList<WitnessedWrite> Writes
    {
        get
        {
            lock (_gate)
            {
                return [.. _writes];
            }
        }
    }

    /// <summary>Number of acknowledged writes so far.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _writes.Count;
            }
        }
    }

    /// <summary>Starts it on a thread of its own.</summary>
    public void Start()
    {
        _stop.Reset();
        _thread = new Thread(Run) { IsBackground = true, Name = $"witness of {_node}" };
        _thread.Start();
    }

    /// <summary>Ends it, also while a write is held.</summary>
    public void Stop()
    {
        _stop.Set();
        lock (_gate)
        {
            _connection?.Dispose();
        }

        Wait.For($"the witness of {_node} to end", 30, () => !_thread!.IsAlive);
    }

    /// <summary>
    /// Looks for each block's last acknowledged write, or a later one, in an export. It must not run meanwhile.
    /// Returns the complaints.
    /// </summary>
    public IReadOnlyList<string> Verify(string socketPath)
    {
        using NbdConnection connection = NbdConnection.Connect(socketPath);
        var complaints = new List<string>();
        byte[] block = new byte[Stamp.BlockBytes];
        for (int index = 0; index < Math.Min(Blocks, _next); index++)
        {
            connection.Read(Offset(index), block);
            for (int sector = 0; sector < Stamp.BlockBytes / Stamp.SectorBytes; sector++)
            {
                long? seen = Stamp.Read(block, _firstBlock + index, sector);
                if (seen is null || seen < _acknowledged[index] || seen > _issued[index])
                {
                    complaints.Add(
                        $"written through {_node}: block {_firstBlock + index}, sector {sector} has write " +
                        $"{seen?.ToString() ?? "of nobody"}, legal are {_acknowledged[index]} to {_issued[index]}");
                    break;
                }
            }
        }

        return complaints;
    }

    private void Run()
    {
        while (!_stop.IsSet)
        {
            try
            {
                using NbdConnection connection = NbdConnection.Connect(_socketPath);
                lock (_gate)
                {
                    _connection = connection;
                }

                WriteUntilBroken(connection);
            }
            catch (Exception broken) when (broken is IOException or ObjectDisposedException)
            {
                // No Primary, or it lost its right, or its daemon died: try again.
                _stop.Wait(ConnectPace);
            }
        }
    }

    private void WriteUntilBroken(NbdConnection connection)
    {
        byte[] block = new byte[Stamp.BlockBytes];
        while (!_stop.Wait(Pace))
        {
            long sequence = Interlocked.Increment(ref s_sequence);
            int index = _next++ % Blocks;
            _issued[index] = sequence;
            Stamp.Fill(block, _firstBlock + index, sequence);
            long sentAt = Stopwatch.GetTimestamp();
            connection.Write(Offset(index), block);
            long answeredAt = Stopwatch.GetTimestamp();
            _acknowledged[index] = sequence;
            lock (_gate)
            {
                _writes.Add(new WitnessedWrite(_node, sequence, sentAt, answeredAt));
            }
        }
    }

    private long Offset(int index) => (_firstBlock + index) * (long)Stamp.BlockBytes;
}
