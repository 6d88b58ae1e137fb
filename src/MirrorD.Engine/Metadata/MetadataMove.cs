using MirrorD.Core;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Metadata;

/// <summary>
/// Moves the metadata of a volume to another place of the same disk that does not overlap the present one. What an earlier
/// life of the device left in the new superblocks' place is wiped, everything but the superblocks is copied and flushed, then
/// the superblocks are written there, durably, then those at the old place are wiped. Until the first superblock is whole at the new place the old place counts, from then on the new one:
/// whoever looks for metadata looks at the new place first, and what counts is never a mixture.
/// </summary>
internal sealed class MetadataMove : IDisposable
{
    private const int BlocksAtOnce = 64;

    private readonly IIoLoop _loop;
    private readonly MetadataArea _area;
    private readonly long _offset;
    private readonly long _lengthBytes;
    private readonly long _usedBytes;
    private readonly Action<int> _done;
    private readonly IoBuffer _buffer = new(BlocksAtOnce * MetadataLayout.BlockBytes);
    private bool _mayCount;

    private MetadataMove(IIoLoop loop, MetadataArea area, long offset, long lengthBytes, long usedBytes, Action<int> done)
    {
        _loop = loop;
        _area = area;
        _offset = offset;
        _lengthBytes = lengthBytes;
        _usedBytes = usedBytes;
        _done = done;
    }

    /// <summary>Begins.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="area">The metadata; operations on it wait until the end.</param>
    /// <param name="offset">First byte of the new place.</param>
    /// <param name="lengthBytes">Length of the new area.</param>
    /// <param name="usedBytes">How much of the present area means something.</param>
    /// <param name="done">Called with 0 or an errno; after an error the disk can't be trusted.</param>
    public static void Begin(
        IIoLoop loop, MetadataArea area, long offset, long lengthBytes, long usedBytes, Action<int> done)
    {
        Invariant.Require(offset >= area.Offset + area.LengthBytes || offset + lengthBytes <= area.Offset,
            "metadata is never moved onto itself");
        Invariant.Require(usedBytes <= lengthBytes && usedBytes <= area.LengthBytes, "the metadata fits its new place");
        var move = new MetadataMove(loop, area, offset, lengthBytes, usedBytes, done);
        area.Hold(move.WipeNew);
    }

    /// <summary>Frees the buffer.</summary>
    public void Dispose() => _buffer.Dispose();

    private void WipeNew()
    {
        BufferSlice both = _buffer.Slice(0, (int)MetadataLayout.LogOffset);
        both.Span.Clear();
        Write(_offset, both, () => Copy(MetadataLayout.LogOffset));
    }

    private void Copy(long from)
    {
        if (from >= _usedBytes)
        {
            Run(operation => _loop.Flush(_area.Disk, operation), CopySuperblocks);
            return;
        }

        BufferSlice part = _buffer.Slice(0, (int)Math.Min(_buffer.LengthBytes, _usedBytes - from));
        Read(_area.Offset + from, part, () => Write(_offset + from, part, () => Copy(from + part.LengthBytes)));
    }

    private void CopySuperblocks()
    {
        BufferSlice both = _buffer.Slice(0, (int)MetadataLayout.LogOffset);
        Read(_area.Offset, both, () =>
        {
            _mayCount = true;
            WriteSlot(0, () => WriteSlot(1, Wipe));
        });
    }

    private void WriteSlot(int slot, Action then)
    {
        int at = (int)MetadataLayout.SuperblockOffset(slot);
        Write(_offset + at, _buffer.Slice(at, SuperblockCodec.LengthBytes), then);
    }

    private void Wipe()
    {
        BufferSlice both = _buffer.Slice(0, (int)MetadataLayout.LogOffset);
        both.Span.Clear();
        Write(_area.Offset, both, () => End(0));
    }

    private void Read(long offset, BufferSlice into, Action then) =>
        Run(operation => _loop.Read(_area.Disk, offset, into, operation), then);

    private void Write(long offset, BufferSlice from, Action then) =>
        Run(operation => _loop.Write(_area.Disk, offset, from, durable: true, operation), then);

    private void Run(Action<IoOperation> submit, Action then) => submit(new IoOperation(operation =>
    {
        if (operation.Result < 0)
        {
            End(-operation.Result);
        }
        else
        {
            then();
        }
    }));

    private void End(int error)
    {
        if (error == 0)
        {
            _area.Relocate(_offset, _lengthBytes);
        }
        else if (_mayCount)
        {
            // A load may find slot 0 at the new place, whatever the error said, and would then wipe the old one: what went
            // there would be lost although it was reported stored, also that this copy does not count. So nothing is stored
            // any more. A restart finds what was true before the move, in either place: nothing was stored in one of them
            // only. This node has reported its failure as not stored, so the peer does not go on alone by that word, and
            // attach distrusts the copy.
            _area.Lose();
        }

        Dispose();
        _area.Release();
        _done(error);
    }
}
