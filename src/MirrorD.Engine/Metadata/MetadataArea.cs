using MirrorD.Core;
using MirrorD.Io;

namespace MirrorD.Engine.Metadata;

/// <summary>
/// Where the metadata of a volume lies. While it is moved (<see cref="MetadataMove"/>) no other operation begins: they wait
/// and go to the new place.
/// </summary>
internal sealed class MetadataArea(IDisk disk, long offset, long lengthBytes)
{
    private readonly Queue<Action> _waiting = new();
    private int _inFlight;
    private Action? _whenStill;

    /// <summary>The disk.</summary>
    public IDisk Disk => disk;

    /// <summary>First byte of the area on the disk.</summary>
    public long Offset { get; private set; } = offset;

    /// <summary>Its length.</summary>
    public long LengthBytes { get; private set; } = lengthBytes;

    /// <summary>It is being moved.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>Nothing may be stored or read any more: it is not known which place counts.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Begins an operation now, or when the move has ended.</summary>
    public void Begin(Action operation)
    {
        if (IsHeld)
        {
            _waiting.Enqueue(operation);
            return;
        }

        _inFlight++;
        operation();
    }

    /// <summary>An operation has ended.</summary>
    public void Ended()
    {
        _inFlight--;
        if (_inFlight == 0 && _whenStill is { } still)
        {
            _whenStill = null;
            still();
        }
    }

    /// <summary>From now on operations wait; calls back when none is under way, perhaps at once.</summary>
    public void Hold(Action still)
    {
        Invariant.Require(!IsHeld, "metadata is moved once at a time");
        IsHeld = true;
        if (_inFlight == 0)
        {
            still();
        }
        else
        {
            _whenStill = still;
        }
    }

    /// <summary>The area lies elsewhere from now on.</summary>
    public void Relocate(long newOffset, long newLengthBytes) => (Offset, LengthBytes) = (newOffset, newLengthBytes);

    /// <summary>From now on every operation fails, also those that wait.</summary>
    public void Lose() => IsLost = true;

    /// <summary>What waited begins.</summary>
    public void Release()
    {
        IsHeld = false;
        while (_waiting.TryDequeue(out Action? operation))
        {
            _inFlight++;
            operation();
        }
    }
}
