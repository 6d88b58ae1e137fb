using System.Diagnostics;

namespace MirrorD.Fuzz.Running;

/// <summary>What an input brought about that must not happen.</summary>
/// <param name="Kind">Two failures of one kind count as one: type and place of an exception, or the rule.</param>
/// <param name="Text">All of it, for a reader.</param>
public sealed record Failure(string Kind, string Text)
{
    /// <summary>An exception that the parser is not documented to throw.</summary>
    public static Failure Of(Exception thrown)
    {
        string kind = thrown.GetType().Name;
        if (thrown is BrokenProperty)
        {
            return new Failure($"{kind}: {WithoutNumbers(thrown.Message)}", thrown.Message);
        }

        foreach (StackFrame frame in new StackTrace(thrown).GetFrames())
        {
            if (frame.GetMethod() is { DeclaringType.FullName: { } type } method
                && type.StartsWith("MirrorD.", StringComparison.Ordinal))
            {
                kind += $" in {type}.{method.Name}";
                break;
            }
        }

        return new Failure(kind, thrown.ToString());
    }

    private static string WithoutNumbers(string text) => new([.. text.Where(c => !char.IsAsciiDigit(c))]);
}
