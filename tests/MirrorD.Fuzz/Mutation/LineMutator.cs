using System.Text;
using System.Text.RegularExpressions;

namespace MirrorD.Fuzz.Mutation;

/// <summary>Changes a text by its lines and words: what a person mistypes, and what nobody would write.</summary>
/// <param name="draw">Where chance comes from.</param>
/// <param name="words">Dictionary of the target.</param>
public sealed partial class LineMutator(Draw draw, IReadOnlyList<byte[]> words)
{
    private static readonly string[] s_numbers =
        ["0", "1", "-1", "255", "256", "65535", "65536", "2147483647", "2147483648", "4294967296", "9223372036854775807",
            "9223372036854775808", "18446744073709551615", "18446744073709551616", "1e9", "0x10", "1.5", ""];

    /// <summary>A changed text.</summary>
    /// <param name="from">What is changed; stays as it is.</param>
    /// <param name="other">Another text, for lines.</param>
    public byte[] Mutate(byte[] from, byte[] other)
    {
        List<string> lines = [.. Lines(from)];
        for (int steps = 1 + draw.Below(3); steps > 0; steps--)
        {
            Step(lines, Lines(other));
        }

        return Encoding.Latin1.GetBytes(string.Join('\n', lines));
    }

    private static string[] Lines(byte[] text) => Encoding.Latin1.GetString(text).Split('\n');

    private void Step(List<string> lines, string[] other)
    {
        int at = draw.Below(lines.Count);
        switch (draw.Below(8))
        {
            case 0 when lines.Count > 1:
                lines.RemoveAt(at);
                break;
            case 1:
                lines.Insert(at, lines[draw.Below(lines.Count)]);
                break;
            case 2:
                lines.Insert(at, other[draw.Below(other.Length)]);
                break;
            case 3:
                int to = draw.Below(lines.Count);
                (lines[at], lines[to]) = (lines[to], lines[at]);
                break;
            case 4:
                lines[at] = new string(' ', draw.Below(9)) + lines[at].TrimStart();
                break;
            case 5:
                lines[at] = draw.OneIn(2) ? ChangeNumber(lines[at]) : RepeatWord(lines[at]);
                break;
            default:
                lines[at] = ChangeWord(lines[at]);
                break;
        }
    }

    private string ChangeWord(string line)
    {
        int from = draw.Below(line.Length + 1);
        while (from > 0 && IsInWord(line[from - 1]))
        {
            from--;
        }

        int to = from;
        while (to < line.Length && IsInWord(line[to]))
        {
            to++;
        }

        string word = draw.Below(4) switch
        {
            0 => s_numbers[draw.Below(s_numbers.Length)],
            1 when to > from => line[from..to] + line[from..to],
            2 when to > from => line[from..(to - 1)],
            _ => words.Count == 0 ? "" : Encoding.Latin1.GetString(words[draw.Below(words.Count)]),
        };
        return line[..from] + word + line[to..];
    }

    /// <summary>Another number in the place of one, also where it is only a part of a word.</summary>
    private string ChangeNumber(string line) => OneOf(Number().Matches(line)) is { } number
        ? Put(line, number, draw.OneIn(4) ? "0" : s_numbers[draw.Below(s_numbers.Length)]) : line;

    /// <summary>A word stands where another one of its line stood.</summary>
    private string RepeatWord(string line)
    {
        MatchCollection words = Word().Matches(line);
        return OneOf(words) is { } to ? Put(line, to, OneOf(words)!.Value) : line;
    }

    private Match? OneOf(MatchCollection found) => found.Count == 0 ? null : found[draw.Below(found.Count)];

    private static string Put(string line, Match place, string word) =>
        line[..place.Index] + word + line[(place.Index + place.Length)..];

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();

    [GeneratedRegex("[A-Za-z0-9_./-]+")]
    private static partial Regex Word();

    private static bool IsInWord(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/';
}
