using System.Buffers.Binary;
using MirrorD.Formats.Metadata;

namespace MirrorD.Formats;

/// <summary>
/// Fields of a message in order, little endian. What can't be read leaves it invalid: from then on every field
/// is zero or empty, and the message is to be dropped (<see cref="IsAtEndAndValid"/>).
/// </summary>
internal ref struct FieldReader(ReadOnlySpan<byte> rest)
{
    private ReadOnlySpan<byte> _rest = rest;
    private bool _isInvalid;

    /// <summary>All of it has been read, and every field was what it may be.</summary>
    public readonly bool IsAtEndAndValid => !_isInvalid && _rest.IsEmpty;

    public byte Byte()
    {
        ReadOnlySpan<byte> taken = Take(1);
        return taken.IsEmpty ? (byte)0 : taken[0];
    }

    /// <summary>A value of an enum, or another number that is valid only from one to another.</summary>
    public byte Byte(byte lowest, byte highest)
    {
        byte value = Byte();
        _isInvalid |= value < lowest || value > highest;
        return value;
    }

    /// <summary>One byte, 0 or 1.</summary>
    public bool Flag() => Byte(0, 1) == 1;

    public Role Role() => (Role)Byte((byte)Formats.Role.Standby, (byte)Formats.Role.Primary);

    public ulong UInt64()
    {
        ReadOnlySpan<byte> taken = Take(sizeof(ulong));
        return taken.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(taken);
    }

    /// <summary>A u64 that an int can hold.</summary>
    public int Index()
    {
        ulong value = UInt64();
        _isInvalid |= value > int.MaxValue;
        return _isInvalid ? 0 : (int)value;
    }

    /// <summary>A u64 that a long can hold.</summary>
    public long Count()
    {
        ulong value = UInt64();
        _isInvalid |= value > long.MaxValue;
        return (long)value;
    }

    /// <summary>16 bytes in the order in which an id is written down.</summary>
    public Guid Id()
    {
        ReadOnlySpan<byte> taken = Take(16);
        return taken.IsEmpty ? default : new Guid(taken, bigEndian: true);
    }

    /// <summary>A string of bytes behind its length as u16.</summary>
    public byte[] Bytes()
    {
        ReadOnlySpan<byte> length = Take(sizeof(ushort));
        return length.IsEmpty ? [] : Take(BinaryPrimitives.ReadUInt16LittleEndian(length)).ToArray();
    }

    /// <summary>A history behind its length as one byte; a length that the rest can't hold costs no memory.</summary>
    public Generation[] Generations()
    {
        int count = Byte(0, SuperblockCodec.MaximumHistory);
        _isInvalid |= count * sizeof(ulong) > _rest.Length;
        var generations = new Generation[_isInvalid ? 0 : count];
        for (int i = 0; i < generations.Length; i++)
        {
            generations[i] = new Generation(UInt64());
        }

        return generations;
    }

    /// <summary>Sizes in bytes behind their number as one byte; a number that the rest can't hold costs no memory.</summary>
    public long[] Sizes()
    {
        int count = Byte();
        _isInvalid |= count * sizeof(ulong) > _rest.Length;
        long[] sizes = new long[_isInvalid ? 0 : count];
        for (int i = 0; i < sizes.Length; i++)
        {
            sizes[i] = Count();
        }

        return sizes;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (_isInvalid || _rest.Length < count)
        {
            _isInvalid = true;
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
