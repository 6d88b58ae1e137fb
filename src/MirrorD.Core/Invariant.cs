using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace MirrorD.Core;

/// <summary>A rule of the program itself was broken. Going on would risk data: the process ends.</summary>
public sealed class InvariantViolation(string message) : Exception(message);

/// <summary>Assertions that stay on in production.</summary>
public static class Invariant
{
    /// <summary>Ends the resource (and with it the process) when the condition does not hold.</summary>
    public static void Require(
        [DoesNotReturnIf(false)] bool condition,
        string rule,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        if (!condition)
        {
            throw new InvariantViolation($"{rule} ({file[(file.LastIndexOf('/') + 1)..]}:{line})");
        }
    }
}
