using MirrorD.Lab.Processes;

namespace MirrorD.Machines.Images;

/// <summary>
/// Packages that few machines need: they are not in the image, which is built from nothing often, but fetched by the host's
/// apt when they are asked for. A machine has no way out to a mirror.
/// </summary>
internal static class DebianPackages
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    /// <summary>Fetches packages with all that they need beyond what is in the image.</summary>
    /// <param name="names">Names as apt knows them.</param>
    /// <param name="directory">A directory for them; made when it is not there.</param>
    /// <returns>The .deb files.</returns>
    /// <exception cref="InvalidOperationException">apt can't get them; the message has what it said.</exception>
    public static IReadOnlyList<string> Fetch(IReadOnlyList<string> names, string directory)
    {
        Directory.CreateDirectory(Path.Combine(directory, "partial"));
        string status = Path.Combine(directory, "status");
        Tool.Run("debugfs", "-R", $"dump /var/lib/dpkg/status {status}", MachineImage.Get().Root).Require();
        string[] words =
        [
            "install", "-y", "--no-install-recommends", "--download-only", "-o", $"Dir::State::Status={status}",
            "-o", $"Dir::Cache::Archives={directory}", .. names,
        ];
        if (!Tool.RunWithin(Deadline, "apt-get", words).Succeeded)
        {
            // Its lists may be missing or out of date.
            Tool.RunWithin(Deadline, "apt-get", "update", "-qq").Require();
            Tool.RunWithin(Deadline, "apt-get", words).Require();
        }

        return [.. Directory.EnumerateFiles(directory, "*.deb").Order(StringComparer.Ordinal)];
    }
}
