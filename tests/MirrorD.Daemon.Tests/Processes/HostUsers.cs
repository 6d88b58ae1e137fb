using System.Diagnostics;

namespace MirrorD.Daemon.Tests.Processes;

/// <summary>
/// Users and groups that this host has not: programs started through <see cref="Words"/> find them in files of their own,
/// in a mount namespace that ends with the program. Their processes run with these numbers.
/// </summary>
internal sealed class HostUsers
{
    /// <summary>Id of the group mirrord.</summary>
    public const int Control = 64501;

    /// <summary>Id of the group mirrord-read.</summary>
    public const int Read = 64502;

    /// <summary>Who may do all, by a supplementary group.</summary>
    public static readonly HostUser Anna = new("anna", 64511, 64511, [77, Control]);

    /// <summary>Who may read, by his primary group.</summary>
    public static readonly HostUser Bert = new("bert", 64512, Read, []);

    /// <summary>Who may do nothing, also as a member of the group root.</summary>
    public static readonly HostUser Carl = new("carl", 64513, 64513, [0]);

    /// <summary>Who may do all, by the primary group, and is a number only.</summary>
    public static readonly HostUser Nameless = new(null, 64514, Control, []);

    private readonly TemporaryDirectory _directory;

    /// <summary>Writes the files.</summary>
    /// <param name="directory">Where; opened to all users, who run their programs there.</param>
    public HostUsers(TemporaryDirectory directory)
    {
        _directory = directory;
        File.WriteAllLines(directory.At("group"),
        [
            .. File.ReadLines("/etc/group").Where(line => !line.StartsWith("mirrord", StringComparison.Ordinal)),
            $"mirrord:x:{Control}:anna", $"mirrord-read:x:{Read}:",
        ]);
        File.WriteAllLines(directory.At("passwd"),
        [
            .. File.ReadLines("/etc/passwd"),
            .. ((HostUser[])[Anna, Bert, Carl]).Select(user => $"{user.Name}:x:{user.Id}:{user.Group}::/:/bin/sh"),
        ]);
        Directory.CreateDirectory(directory.At("bin"));
        File.SetUnixFileMode(directory.Root, (UnixFileMode)0x1ed); // 0755
    }

    /// <summary>What stands before a program that shall find these users; the programs of the tests are in bin.</summary>
    public string[] Words =>
    [
        "unshare", "--mount", "sh", "-c",
        "mount --bind \"$1\" /etc/group && mount --bind \"$2\" /etc/passwd && mount --bind \"$3\" \"$4\" && shift 4 "
            + "&& exec \"$@\"",
        "sh", _directory.At("group"), _directory.At("passwd"), AppContext.BaseDirectory, _directory.At("bin"),
    ];

    /// <summary>A program of the tests, at a place where all users find it.</summary>
    public string Program(string name) => Path.Combine(_directory.At("bin"), name);

    /// <summary>Runs a program as one of them to its end.</summary>
    public async Task<(int ExitCode, string Output, string Error)> Run(HostUser user, params string[] words)
    {
        string[] all =
        [
            .. Words, "setpriv", "--reuid", $"{user.Id}", "--regid", $"{user.Group}",
            .. user.Groups.Length == 0 ? ["--clear-groups"] : (string[])["--groups", string.Join(',', user.Groups)],
            "--", .. words,
        ];
        var start = new ProcessStartInfo(all[0], all[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        try
        {
            await Within.Deadline(process.WaitForExitAsync(), string.Join(' ', words));
        }
        catch
        {
            process.Kill();
            throw;
        }

        return (process.ExitCode, await output, await error);
    }
}

/// <summary>A user of <see cref="HostUsers"/>.</summary>
/// <param name="Name">Null: not in the file.</param>
/// <param name="Id">User id.</param>
/// <param name="Group">Primary group.</param>
/// <param name="Groups">Supplementary groups.</param>
internal sealed record HostUser(string? Name, int Id, int Group, int[] Groups);
