using MirrorD.Engine.Control;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Snapshots of one simulated disk's data, that outlive the node's daemon.</summary>
internal sealed class MemorySnapshots(SimulatedPair.Node node, int lengthBytes) : ISnapshots
{
    private byte[]? _taken;

    public DateTimeOffset? TakenAt => _taken is null ? null : DateTimeOffset.UnixEpoch;

    /// <summary>What is to be kept.</summary>
    public byte[]? Kept { get; private set; }

    /// <summary>Loop of the daemon that runs.</summary>
    public IIoLoop Loop { get; set; } = null!;

    /// <summary>Why none can be taken.</summary>
    public string? Problem { get; set; }

    /// <summary>The daemon dies when half of it is restored.</summary>
    public bool DiesHalfway { get; set; }

    /// <summary>The disk fails when half of it is restored.</summary>
    public bool FailsHalfway { get; set; }

    public void Take(bool keeps, Action<string?> ended)
    {
        byte[] found = node.Peek(0, lengthBytes);
        if (Problem is null && keeps)
        {
            Kept = found;
        }
        else
        {
            _taken = Problem is null ? found : null;
        }

        Loop.Post(() => ended(Problem));
    }

    public void Restore(IReadOnlyList<long> dataBytes, Action<string?> ended)
    {
        Assert.Equal([lengthBytes], dataBytes);
        node.Put(0, DiesHalfway || FailsHalfway ? _taken.AsSpan(0, lengthBytes / 2) : _taken);
        if (!DiesHalfway)
        {
            Loop.Post(() => ended(FailsHalfway ? "the disk fails" : null));
        }
    }

    public void Drop() => _taken = null;
}
