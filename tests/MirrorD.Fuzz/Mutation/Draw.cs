namespace MirrorD.Fuzz.Mutation;

/// <summary>Numbers from a seed (SplitMix64): the same seed gives the same numbers on every machine.</summary>
public sealed class Draw(ulong seed)
{
    private ulong _state = seed;

    /// <summary>64 bits.</summary>
    public ulong Next()
    {
        ulong mixed = _state += 0x9E37_79B9_7F4A_7C15;
        mixed = (mixed ^ mixed >> 30) * 0xBF58_476D_1CE4_E5B9;
        mixed = (mixed ^ mixed >> 27) * 0x94D0_49BB_1331_11EB;
        return mixed ^ mixed >> 31;
    }

    /// <summary>A number from 0 to below the bound, which is at least 1.</summary>
    public int Below(int bound) => (int)(Next() % (ulong)bound);

    /// <summary>True once in so many times.</summary>
    public bool OneIn(int times) => Below(times) == 0;
}
