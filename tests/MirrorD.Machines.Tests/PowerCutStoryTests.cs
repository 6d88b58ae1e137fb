using MirrorD.Lab;
using MirrorD.Lab.Processes;
using MirrorD.Machines.Agent;
using MirrorD.Machines.Product;
using Xunit.Abstractions;

namespace MirrorD.Machines.Tests;

/// <summary>
/// The package on two machines: the Primary loses power under load, the other one takes over with every file that fsync
/// had returned for, the first one comes back as Standby, and the role goes back by a switchover.
/// </summary>
public sealed class PowerCutStoryTests(ITestOutputHelper output)
{
    private const int FilesPerBatch = 12;
    private const string Acknowledged = "/run/acknowledged";

    /// <summary>POWER_CUTS of them (1); the roles change with each.</summary>
    private static int Rounds => int.Parse(
        Environment.GetEnvironmentVariable("POWER_CUTS") ?? "1", System.Globalization.CultureInfo.InvariantCulture);

    [MachineFact]
    public void A_standby_takes_over_with_every_file_that_fsync_returned_for()
    {
        using var pair = new MirroredPair();
        Machine primary = pair.Lab.A;
        pair.MakeFileSystem(primary);
        var sums = new Dictionary<string, string>();
        for (int round = 1; round <= Rounds; round++)
        {
            // The cut comes in the middle of a batch, at another place in each round.
            Write(primary, $"r{round}-whole", sums);
            GuestProcess writer = primary.Start("sh", "-c", $"({BatchScript($"r{round}-cut", 4000)}) > {Acknowledged}");
            string progress = $"{MirroredPair.MountPoint}/r{round}-cut-{3 + (7 * round)}";
            Wait.For(
                $"{progress} to be there", 120, () => primary.Run("test", "-e", progress).Succeeded, pair.Describe);
            Assert.False(writer.HasEnded());
            // What was acknowledged until just before the cut.
            string[] acknowledged = primary.ReadFile(Acknowledged).Split('\n')[..^1];
            primary.PowerCut();
            Note(acknowledged, sums);

            Machine survivor = pair.Other(primary);
            pair.WaitForDevice(survivor);
            Check(survivor);
            pair.Mount(survivor);
            Compare(survivor, sums);
            output.WriteLine($"round {round}: {sums.Count} files there; {Takeover(pair, survivor)}");

            primary.PowerOn();
            pair.WaitForStatus(primary, "role", "Standby");
            pair.WaitJoined();
            Write(survivor, $"r{round}-after", sums);
            pair.Unmount(survivor);
            pair.Control(survivor, "switchover", MirroredPair.Resource).Require();
            pair.WaitForDevice(primary);
            Check(primary);
            pair.Mount(primary);
            Compare(primary, sums);
            Assert.Equal("Standby", pair.Status(survivor, "role"));
            if (round < Rounds)
            {
                pair.Unmount(primary);
                pair.Control(primary, "switchover", MirroredPair.Resource).Require();
                pair.WaitForDevice(survivor);
                pair.Mount(survivor);
                primary = survivor;
            }
        }
    }

    // Each line is printed only once the file and its name are durable.
    private static string BatchScript(string prefix, int files) =>
        $"cd {MirroredPair.MountPoint}; i=0; while [ $i -lt {files} ]; do i=$((i+1)); " +
        $"dd if=/dev/urandom of={prefix}-$i bs=9000 count=1 conv=fsync status=none && sync . && sha256sum {prefix}-$i; done";

    private static void Write(Machine machine, string prefix, Dictionary<string, string> sums)
    {
        ToolResult written = machine.RunWithin(240, "sh", "-c", BatchScript(prefix, FilesPerBatch)).Require();
        Note(written.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), sums);
    }

    // Lines as sha256sum prints them.
    private static void Note(string[] lines, Dictionary<string, string> sums)
    {
        Assert.NotEmpty(lines);
        foreach (string line in lines)
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            sums.Add(words[1], words[0]);
        }
    }

    /// <summary>The journal is replayed as a mount does, and then nothing is wrong.</summary>
    private static void Check(Machine machine)
    {
        machine.RunWithin(240, "e2fsck", "-E", "journal_only", "-p", MirroredPair.DevicePath);
        ToolResult check = machine.RunWithin(240, "e2fsck", "-f", "-n", MirroredPair.DevicePath);
        Assert.True(check.ExitCode == 0, $"e2fsck says {check.ExitCode}:\n{check.Output}{check.Error}");
    }

    private static void Compare(Machine machine, Dictionary<string, string> sums)
    {
        string wanted = string.Concat(sums.Select(file => $"{file.Value}  {file.Key}\n"));
        machine.WriteFile("/root/sums", wanted);
        ToolResult compared = machine.Shell($"cd {MirroredPair.MountPoint} && sha256sum --quiet -c /root/sums", 240);
        Assert.True(compared.Succeeded, $"{compared.Output}{compared.Error}");
    }

    private static string Takeover(MirroredPair pair, Machine machine) =>
        pair.Control(machine, "history").Require().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Trim();
}
