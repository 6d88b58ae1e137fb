using System.Runtime.InteropServices;

namespace MirrorD.Fuzz.Coverage;

/// <summary>
/// What instrumented code counts into: one byte for each edge between two blocks of code in a map of 64 Ki entries, and one
/// byte for each block that was ever entered. Outside of the collector's memory, as it is written at each step. For one
/// thread.
/// </summary>
public static unsafe class EdgeCounters
{
    /// <summary>Entries of the map; two edges may share one.</summary>
    public const int MapEntries = 64 * 1024;

    /// <summary>Most blocks of all instrumented assemblies together.</summary>
    public const int MostBlocks = 256 * 1024;

    private static readonly byte* s_edges = (byte*)NativeMemory.AllocZeroed(MapEntries);
    private static readonly byte* s_blocks = (byte*)NativeMemory.AllocZeroed(MostBlocks);
    private static uint s_previous;

    /// <summary>How often each edge was taken since <see cref="Clear"/>, up to 255.</summary>
    public static Span<byte> Edges => new(s_edges, MapEntries);

    /// <summary>Not zero: the block was entered at least once in this process.</summary>
    public static ReadOnlySpan<byte> Blocks => new(s_blocks, MostBlocks);

    /// <summary>Called by instrumented code at the begin of a block.</summary>
    public static void Enter(int block)
    {
        uint place = (uint)block * 0x9E37_79B1u >> 16;
        byte* edge = s_edges + (place ^ s_previous);
        if (*edge != byte.MaxValue)
        {
            (*edge)++;
        }

        s_previous = place >> 1;
        s_blocks[block] = 1;
    }

    /// <summary>Forgets the edges; what was entered stays known.</summary>
    public static void Clear()
    {
        Edges.Clear();
        s_previous = 0;
    }
}
