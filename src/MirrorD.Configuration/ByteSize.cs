using MirrorD.Configuration.Reading;

namespace MirrorD.Configuration;

/// <summary>Sizes with their unit, as the configuration has them.</summary>
public static class ByteSize
{
    /// <summary>Bytes of "16MiB", "1.5TB" and so on; null when it is no size.</summary>
    public static long? Parse(string text) => Quantities.Size(text);
}
