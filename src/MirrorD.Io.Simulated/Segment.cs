namespace MirrorD.Io.Simulated;

internal enum SegmentKind
{
    Data,
    End,
    Reset,
}

/// <summary>A piece of a stream on its way.</summary>
internal readonly record struct Segment(SegmentKind Kind, ReadOnlyMemory<byte> Data);
