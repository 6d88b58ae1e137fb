using System.Text.RegularExpressions;

namespace MirrorD.Formats.Tests;

/// <summary>
/// A page of docs/internals that describes a format, for the tests that hold it to the code.
/// </summary>
internal sealed partial class FormatPage(string name)
{
    /// <summary>All of it.</summary>
    public string Text { get; } = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "internals", name));

    /// <summary>The top of the clone.</summary>
    public static string RepositoryRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MirrorD.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName
            ?? throw new InvalidOperationException("The tests run outside of the repository.");
    }

    /// <summary>From the heading ("## Frames") to the next one of its level or above.</summary>
    public string Section(string heading)
    {
        int begin = Text.IndexOf("\n" + heading + "\n", StringComparison.Ordinal);
        Assert.True(begin >= 0, $"the page has no {heading}");
        string rest = Text[(begin + 1 + heading.Length)..];
        int level = heading.IndexOf(' ', StringComparison.Ordinal);
        Match end = Regex.Match(rest, $"^#{{1,{level}}} ", RegexOptions.Multiline);
        return end.Success ? rest[..end.Index] : rest;
    }

    /// <summary>Rows of offset, bytes and name, which leave no gap.</summary>
    public List<PageField> Fields(string heading, int wholeBytes)
    {
        List<PageField> fields = [.. Fields(heading)];
        int end = 0;
        foreach (PageField field in fields)
        {
            Assert.Equal(end, field.Offset);
            end += field.Bytes;
        }

        Assert.Equal(wholeBytes, end);
        return fields;
    }

    /// <summary>Rows of offset, bytes and name.</summary>
    public IEnumerable<PageField> Fields(string heading) => FieldRow().Matches(Section(heading)).Select(m =>
        new PageField(int.Parse(m.Groups[1].Value), int.Parse(m.Groups[2].Value), m.Groups[3].Value));

    /// <summary>Lines of an example: offset and 16 bytes.</summary>
    public IEnumerable<string> HexLines(string heading) =>
        HexLine().Matches(Section(heading)).Select(m => m.Value);

    /// <summary>The digits of an example's bytes, with spaces.</summary>
    public string HexDigits(string heading) =>
        string.Concat(HexLines(heading).Select(line => line[line.IndexOf(' ', StringComparison.Ordinal)..]));

    /// <summary>Bytes of a field of a message at the beginning of <paramref name="rest"/>.</summary>
    public static int LengthOf(string type, ReadOnlySpan<byte> rest) => type switch
    {
        "u8" or "flag" => 1,
        "u64" => 8,
        "id" => 16,
        "bytes" => 2 + BitConverter.ToUInt16(rest),
        "generations" or "sizes" => 1 + (8 * rest[0]),
        _ => throw new ArgumentException($"the pages have no type {type}"),
    };

    [GeneratedRegex(@"^\| (\d+) \| (\d+) \| ([a-z-]+) \|", RegexOptions.Multiline)]
    private static partial Regex FieldRow();

    [GeneratedRegex(@"^[0-9a-f]{4}:(?: [0-9a-f]{8}){4}$", RegexOptions.Multiline)]
    private static partial Regex HexLine();
}

/// <summary>A row of a table of fields.</summary>
internal sealed record PageField(int Offset, int Bytes, string Name);
