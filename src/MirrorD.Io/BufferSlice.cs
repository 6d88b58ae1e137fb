namespace MirrorD.Io;

/// <summary>A part of an <see cref="IoBuffer"/>; what operations read from and write to.</summary>
public readonly struct BufferSlice
{
    /// <summary>Names a part; throws when it does not lie inside the buffer.</summary>
    public BufferSlice(IoBuffer buffer, int offsetBytes, int lengthBytes)
    {
        if ((uint)offsetBytes > (uint)buffer.LengthBytes || (uint)lengthBytes > (uint)(buffer.LengthBytes - offsetBytes))
        {
            throw new ArgumentOutOfRangeException(nameof(offsetBytes),
                $"{offsetBytes}+{lengthBytes} is outside a buffer of {buffer.LengthBytes} bytes");
        }

        Buffer = buffer;
        OffsetBytes = offsetBytes;
        LengthBytes = lengthBytes;
    }

    /// <summary>The buffer; null only in a default slice, whose length is 0.</summary>
    public IoBuffer? Buffer { get; }

    /// <summary>Where the part begins in the buffer.</summary>
    public int OffsetBytes { get; }

    /// <summary>Length of the part.</summary>
    public int LengthBytes { get; }

    /// <summary>Address of the first byte; zero for an empty default slice.</summary>
    public nint Address => Buffer is null ? 0 : Buffer.Address + OffsetBytes;

    /// <summary>The bytes.</summary>
    public Span<byte> Span => Buffer is null ? default : Buffer.Span.Slice(OffsetBytes, LengthBytes);

    /// <summary>A part of this part.</summary>
    public BufferSlice Slice(int offsetBytes, int lengthBytes)
    {
        if ((uint)offsetBytes > (uint)LengthBytes || (uint)lengthBytes > (uint)(LengthBytes - offsetBytes))
        {
            throw new ArgumentOutOfRangeException(nameof(offsetBytes));
        }

        return Buffer is null ? default : new BufferSlice(Buffer, OffsetBytes + offsetBytes, lengthBytes);
    }
}
