using System.Diagnostics;

namespace MirrorD.Demo;

/// <summary>
/// What the demo says: numbered chapters, facts, commands and results; colours on a terminal only.
/// </summary>
internal sealed class Narrator
{
    private readonly bool _colours =
        !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";

    private readonly List<(string What, string Result)> _results = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _chapters;

    /// <summary>A new chapter.</summary>
    public void Chapter(string title)
    {
        _chapters++;
        Console.WriteLine();
        Console.WriteLine(Paint("1", $"{_chapters}. {title}"));
    }

    /// <summary>Something to know.</summary>
    public void Say(string text) => Console.WriteLine($"   {text}");

    /// <summary>A command that an operator would type.</summary>
    public void Command(string node, string command) =>
        Console.WriteLine(Paint("36", $"   {node}# {command}"));

    /// <summary>What a command answered.</summary>
    public void Answer(string text)
    {
        foreach (string line in text.TrimEnd().Split('\n'))
        {
            Console.WriteLine(Paint("2", $"     {line}"));
        }
    }

    /// <summary>A check that came out well; kept for the summary.</summary>
    public void Shown(string what, string result)
    {
        _results.Add((what, result));
        Console.WriteLine($"   {Paint("32", "ok")} {what}: {result}");
    }

    /// <summary>The end: all checks once more.</summary>
    public void Summary()
    {
        Console.WriteLine();
        Console.WriteLine(Paint("1", "Summary"));
        int width = _results.Max(result => result.What.Length);
        foreach ((string what, string result) in _results)
        {
            Console.WriteLine($"   {Paint("32", "ok")} {what.PadRight(width)}  {result}");
        }

        double seconds = _clock.Elapsed.TotalSeconds;
        Console.WriteLine($"   {seconds:0} seconds; everything that was made is removed.");
    }

    /// <summary>The end when something failed.</summary>
    public void Failed(string message) =>
        Console.Error.WriteLine(Paint("31", $"\nThe demo failed: {message}"));

    private string Paint(string code, string text) => _colours ? $"\e[{code}m{text}\e[0m" : text;
}
