using System.Diagnostics;

namespace MirrorD.Control.Creation;

/// <summary>Something recognisable that a device holds.</summary>
/// <param name="Type">As wipefs(8) names it, e.g. ext4, LVM2_member, gpt.</param>
internal sealed record Signature(string Type)
{
    /// <summary>All signatures on a device, each type once.</summary>
    /// <exception cref="CommandFailure">wipefs(8) is missing or fails.</exception>
    public static IReadOnlyList<Signature> On(string path)
    {
        var start = new ProcessStartInfo("wipefs")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in (string[])["--no-act", "--parsable", "--", path])
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? Parse(output)
                : throw CreationRefusal.Of(
                    path, $"can't be examined: wipefs says {errors.Result.Trim()}", "check the device");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw CreationRefusal.Of(
                path, $"can't be examined: wipefs can't be started ({missing.Message})",
                "install util-linux");
        }
    }

    private static List<Signature> Parse(string output) =>
    [
        // Lines are "offset,uuid,label,type"; a label may hold an escaped comma, the type never does.
        .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line[0] != '#')
            .Select(line => new Signature(line[(line.LastIndexOf(',') + 1)..]))
            .Distinct(),
    ];
}
