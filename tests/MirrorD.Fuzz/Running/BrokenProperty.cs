using System.Diagnostics.CodeAnalysis;

namespace MirrorD.Fuzz.Running;

/// <summary>What a parser gave breaks one of its own rules.</summary>
public sealed class BrokenProperty(string rule) : Exception(rule)
{
    /// <summary>Throws unless the rule holds.</summary>
    public static void Unless([DoesNotReturnIf(false)] bool holds, string rule)
    {
        if (!holds)
        {
            throw new BrokenProperty(rule);
        }
    }

    /// <summary>Throws unless what was decoded gives the same bytes when it is encoded again.</summary>
    public static void UnlessSame(ReadOnlySpan<byte> input, ReadOnlySpan<byte> again)
    {
        if (!input.SequenceEqual(again))
        {
            int at = input.CommonPrefixLength(again);
            throw new BrokenProperty($"encoded again it is different (round trip), first at byte {at}");
        }
    }
}
