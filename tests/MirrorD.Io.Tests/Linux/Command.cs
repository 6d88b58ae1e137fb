using System.Diagnostics;

namespace MirrorD.Io.Tests.Linux;

/// <summary>Runs a command of the system and expects it to succeed.</summary>
internal static class Command
{
    public static string Run(string name, params string[] arguments)
    {
        var start = new ProcessStartInfo(name, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{name} {string.Join(' ', arguments)}: {errors.Result}");
        return output;
    }
}
