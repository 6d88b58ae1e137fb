using MirrorD.Core;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Metadata;

/// <summary>
/// Writes superblocks, in the order of the calls, each to slot 0 and then to slot 1, durably: after a crash
/// at any instant one slot is intact, and a state that was reported stored stands in both.
/// </summary>
internal sealed class SuperblockWriter : IDisposable
{
    private readonly MetadataIo _io;
    private readonly IoBuffer _buffer = new(SuperblockCodec.LengthBytes);
    private readonly Queue<(Superblock Next, Action<int> Done)> _queue = new();
    private readonly Action<int> _slotWritten;
    private ulong _sequence;
    private int _slot;

    public SuperblockWriter(MetadataIo io)
    {
        _io = io;
        _slotWritten = SlotWritten;
    }

    public bool IsBusy => _queue.Count > 0;

    /// <summary>The last one that was reported stored (or found at load).</summary>
    public Superblock? Current { get; private set; }

    /// <summary>The last one that was asked for.</summary>
    public Superblock? Latest { get; private set; }

    /// <summary>What stands on disk.</summary>
    public void Begin(Superblock? stored, ulong sequence)
    {
        Current = stored;
        Latest = stored;
        _sequence = sequence;
    }

    public void Store(Superblock next, Action<int> done)
    {
        Invariant.Require(SuperblockCodec.FirstFieldOutOfRange(next) is null,
            "a superblock's fields are in range");

        // A number is never used twice, not even after a failed write: it may have reached the disk.
        Latest = next with { Sequence = ++_sequence };
        _queue.Enqueue((Latest, done));
        if (_queue.Count == 1)
        {
            StartNext();
        }
    }

    public void Dispose() => _buffer.Dispose();

    private void StartNext()
    {
        SuperblockCodec.Encode(_queue.Peek().Next, _buffer.Span);
        _slot = 0;
        WriteSlot();
    }

    private void WriteSlot() => _io.WriteDurably(
        MetadataLayout.SuperblockOffset(_slot), _buffer.Slice(0, SuperblockCodec.LengthBytes), _slotWritten);

    private void SlotWritten(int error)
    {
        if (error == 0 && ++_slot < MetadataLayout.SuperblockSlots)
        {
            WriteSlot();
            return;
        }

        (Superblock stored, Action<int> done) = _queue.Dequeue();
        if (error == 0)
        {
            Current = stored;
        }

        if (_queue.Count > 0)
        {
            StartNext();
        }

        done(error);
    }
}
