using System.Globalization;

namespace MirrorD.Hosts.Tests;

/// <summary>
/// How often tests repeat themselves: few times by default, more when an environment variable says so.
/// </summary>
internal static class Rounds
{
    /// <summary>Number from an environment variable, or the usual one.</summary>
    public static int From(string variable, int usual) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : usual;
}
