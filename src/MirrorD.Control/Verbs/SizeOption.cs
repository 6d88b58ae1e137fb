using System.Globalization;
using MirrorD.Configuration;

namespace MirrorD.Control.Verbs;

/// <summary>A size on the command line: with a unit, as in the configuration, or a number of bytes.</summary>
internal static class SizeOption
{
    /// <summary>Reads it; null stays null.</summary>
    /// <returns>False when it is no size above zero.</returns>
    public static bool TryParse(string? text, out long? bytes)
    {
        bytes = text is null ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
            : ByteSize.Parse(text);
        return text is null || bytes > 0;
    }
}
