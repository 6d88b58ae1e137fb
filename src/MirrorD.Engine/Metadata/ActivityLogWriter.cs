using MirrorD.Core;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Metadata;

/// <summary>Writes activity-log transactions, one at a time, without allocating.</summary>
internal sealed class ActivityLogWriter : IDisposable
{
    private readonly MetadataIo _io;
    private readonly IoBuffer _buffer = new(ActivityLogCodec.LengthBytes);
    private readonly Action<int> _written;
    private Action<int>? _done;
    private ulong _sequence;
    private int _volumeIndex;

    public ActivityLogWriter(MetadataIo io)
    {
        _io = io;
        _written = Written;
    }

    public bool IsBusy => _done is not null;

    /// <summary>Which volume, and the number of the last transaction on disk.</summary>
    public void Begin(int volumeIndex, ulong sequence)
    {
        _volumeIndex = volumeIndex;
        _sequence = sequence;
    }

    public void Store(ReadOnlySpan<uint> extents, Action<int> done)
    {
        Invariant.Require(_done is null, "one activity-log transaction at a time");
        _done = done;
        ActivityLogCodec.Encode(_buffer.Span, _volumeIndex, _sequence + 1, extents);
        _io.WriteDurably(
            MetadataLayout.LogSlotOffset(_sequence + 1),
            _buffer.Slice(0, ActivityLogCodec.LengthBytes),
            _written);
    }

    public void Dispose() => _buffer.Dispose();

    private void Written(int error)
    {
        if (error == 0)
        {
            // After a failure the next one takes the same number and so the same, perhaps torn, slot.
            _sequence++;
        }

        Action<int> done = _done!;
        _done = null;
        done(error);
    }
}
