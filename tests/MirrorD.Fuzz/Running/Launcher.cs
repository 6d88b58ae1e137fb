using System.Diagnostics;
using MirrorD.Fuzz.Coverage;

namespace MirrorD.Fuzz.Running;

/// <summary>Starts processes with instrumented assemblies, and says what became of those that died.</summary>
public sealed class Launcher
{
    private readonly string _directory;

    private Launcher(string directory) => _directory = directory;

    /// <summary>Instruments a copy of this program.</summary>
    public static Launcher OfThisProgram() => Of(AppContext.BaseDirectory, Path.Combine(Places.Out, "instrumented"));

    /// <summary>Instruments a copy of a program's directory.</summary>
    public static Launcher Of(string program, string copy)
    {
        InstrumentedCopy.Make(program, copy);
        return new Launcher(copy);
    }

    /// <summary>Has an order carried out; true when nothing is wrong.</summary>
    /// <param name="order">What to do.</param>
    /// <param name="isQuiet">Only what a dead process leaves behind is told.</param>
    public bool Run(WorkOrder order, bool isQuiet = false)
    {
        File.Delete(order.CurrentInputFile);
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = isQuiet,
            RedirectStandardError = isQuiet,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) != "dotnet")
        {
            start.FileName = "dotnet";
        }

        start.ArgumentList.Add(Path.Combine(_directory, "MirrorD.Fuzz.dll"));
        Array.ForEach(order.ToWords(), start.ArgumentList.Add);
        using Process process = Process.Start(start)!;
        string output = "";
        if (isQuiet)
        {
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            output = process.StandardOutput.ReadToEnd();
        }

        process.WaitForExit();
        bool isOrderly = process.ExitCode is 0 or 1;
        if (!isOrderly)
        {
            bool hangs = process.ExitCode == CurrentInput.HangExitCode;
            string kind = hangs ? "an input that it does not end with"
                : $"the process died of it, exit code {process.ExitCode}";
            Found = kind;
            Worker.Report(order.Target, CurrentInput.Left(order.CurrentInputFile) ?? [], new Failure(kind, output));
        }
        else if (isQuiet)
        {
            Found = output.Split('\n').FirstOrDefault(line => line.StartsWith("  found: ", StringComparison.Ordinal)) ?? "";
        }

        File.Delete(order.CurrentInputFile);
        return process.ExitCode == 0;
    }

    /// <summary>After a quiet run or a death: what was found.</summary>
    public string Found { get; private set; } = "";
}
