using System.Buffers.Binary;

namespace MirrorD.Fuzz.Mutation;

/// <summary>
/// Makes an input out of others: bits, bytes and integers of each width and byte order, at boundaries of fields where the
/// target knows them; pieces inserted, deleted, doubled, moved, or taken from another input; words of the target's
/// dictionary.
/// </summary>
/// <param name="draw">Where chance comes from.</param>
/// <param name="mostBytes">Longest input.</param>
/// <param name="words">Dictionary of the target.</param>
/// <param name="fields">Offsets of fields, counted from the begin of each record; empty: none are known.</param>
/// <param name="recordBytes">Length of a record, after which the offsets repeat; 0: there is one record only.</param>
public sealed class Mutator(
    Draw draw, int mostBytes, IReadOnlyList<byte[]> words, IReadOnlyList<int> fields, int recordBytes = 0)
{
    private const int MostSteps = 6;

    /// <summary>A changed input.</summary>
    /// <param name="from">What is changed; stays as it is.</param>
    /// <param name="other">Another input, for splices.</param>
    public byte[] Mutate(byte[] from, byte[] other)
    {
        byte[] now = (byte[])from.Clone();
        for (int steps = 1 + draw.Below(MostSteps); steps > 0; steps--)
        {
            now = Step(now, other);
        }

        return now.Length <= mostBytes ? now : now[..mostBytes];
    }

    private byte[] Step(byte[] now, byte[] other)
    {
        if (now.Length == 0)
        {
            return Insert(now, 0, Piece(other));
        }

        switch (draw.Below(12))
        {
            case 0:
                now[Place(now.Length)] ^= (byte)(1 << draw.Below(8));
                return now;
            case 1:
                now[Place(now.Length)] = (byte)draw.Next();
                return now;
            case 2 or 3:
                return PutInteger(now, Place(now.Length), (_, _) => InterestingValues.Any(draw));
            case 4:
                return PutInteger(now, Place(now.Length), (value, _) => value + (ulong)(draw.Below(71) - 35));
            case 5:
                return PutInteger(now, Place(now.Length), (_, at) => (ulong)(now.Length - at + draw.Below(9) - 4));
            case 6:
                return Insert(now, draw.Below(now.Length + 1), Piece(other));
            case 7:
                return Insert(now, draw.Below(now.Length + 1), Piece(now));
            case 8:
                return Delete(now);
            case 9:
                return draw.OneIn(2) ? Splice(now, other) : now[..draw.Below(now.Length + 1)];
            case 10:
                return Overwrite(now, Place(now.Length), Word());
            default:
                return Insert(now, Place(now.Length), Word());
        }
    }

    private int Place(int length)
    {
        if (fields.Count == 0 || draw.OneIn(3))
        {
            return draw.Below(length);
        }

        int record = recordBytes == 0 ? 0 : recordBytes * draw.Below(length / recordBytes + 1);
        return Math.Min(length - 1, record + fields[draw.Below(fields.Count)]);
    }

    private byte[] PutInteger(byte[] now, int at, Func<ulong, int, ulong> value)
    {
        int width = Math.Min(1 << draw.Below(4), now.Length - at);
        bool bigEndian = draw.OneIn(2);
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        Span<byte> part = bigEndian ? bytes[(8 - width)..] : bytes[..width];
        now.AsSpan(at, width).CopyTo(part);
        ulong old = bigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes, value(old, at));
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value(old, at));
        }

        part.CopyTo(now.AsSpan(at));
        return now;
    }

    private byte[] Word()
    {
        if (words.Count > 0 && !draw.OneIn(4))
        {
            return words[draw.Below(words.Count)];
        }

        byte[] word = new byte[1 + draw.Below(16)];
        word.AsSpan().Fill((byte)(draw.OneIn(2) ? 0 : draw.Next()));
        return word;
    }

    private byte[] Piece(byte[] of)
    {
        if (of.Length == 0)
        {
            return [(byte)draw.Next()];
        }

        int length = 1 + draw.Below(Math.Min(of.Length, draw.OneIn(4) ? of.Length : 64));
        int at = draw.Below(of.Length - length + 1);
        return of[at..(at + length)];
    }

    private byte[] Delete(byte[] now)
    {
        int length = 1 + draw.Below(Math.Min(now.Length, draw.OneIn(4) ? now.Length : 32));
        int at = draw.Below(now.Length - length + 1);
        return [.. now.AsSpan(0, at), .. now.AsSpan(at + length)];
    }

    private byte[] Splice(byte[] now, byte[] other)
    {
        int cut = draw.Below(now.Length + 1);
        return [.. now.AsSpan(0, cut), .. other.AsSpan(Math.Min(cut, draw.Below(other.Length + 1)))];
    }

    private static byte[] Insert(byte[] now, int at, byte[] piece) =>
        [.. now.AsSpan(0, at), .. piece, .. now.AsSpan(at)];

    private static byte[] Overwrite(byte[] now, int at, byte[] piece)
    {
        piece.AsSpan(0, Math.Min(piece.Length, now.Length - at)).CopyTo(now.AsSpan(at));
        return now;
    }
}
