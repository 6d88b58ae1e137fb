using System.Globalization;
using MirrorD.Lab.Processes;
using MirrorD.Machines.Devices;

namespace MirrorD.Machines;

/// <summary>A machine for a person: tests/machine.</summary>
internal static class Commands
{
    private const string Usage = """
        Boots one machine as the tests do, and removes it at the end.

          tests/machine run [OPTIONS] -- PROGRAM [ARGUMENTS]    Run a program in it; ends with its status
          tests/machine shell [OPTIONS]                         A shell on its serial console; ends with it

          --memory MIB    Memory (768)
          --disk MIB      A disk that loses at a power cut what was not flushed, /dev/disk/by-id/virtio-data
          --copy FILE     Copy a file to /root; may be given again
        """;

    public static int Run(string[] words)
    {
        int end = Array.IndexOf(words, "--");
        string[] program = end < 0 ? [] : words[(end + 1)..];
        string[] before = end < 0 ? words : words[..end];
        bool asShell = before is ["shell", ..] && end < 0;
        bool asRun = before is ["run", ..] && program.Length > 0;
        List<string> files = [];
        MachineOptions? options = Parse(before.Skip(1), files);
        if (!(asShell || asRun) || options is null)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        if (MachineRequirements.Missing() is string reason)
        {
            Console.Error.WriteLine(reason);
            return 3;
        }

        using var lab = new MachineLab();
        try
        {
            Machine machine = Boot(lab, options, files);
            return asShell ? ConsoleShell.Run(machine) : Run(machine, program);
        }
        catch (Exception) when (Lab.Lab.IsInterrupted)
        {
            return 130;
        }
    }

    private static Machine Boot(MachineLab lab, MachineOptions options, List<string> files)
    {
        Machine machine = lab.Add(lab.Networks.A, options);
        Console.Error.WriteLine("Booting…");
        machine.PowerOn();
        foreach (string file in files)
        {
            machine.CopyIn(file, $"/root/{Path.GetFileName(file)}");
        }

        return machine;
    }

    private static int Run(Machine machine, string[] program)
    {
        ToolResult result = machine.RunWithin(
            TimeSpan.FromDays(1).TotalSeconds, program[0], program[1..]);
        Console.Out.Write(result.Output);
        Console.Error.Write(result.Error);
        return result.ExitCode;
    }

    private static MachineOptions? Parse(IEnumerable<string> words, List<string> files)
    {
        var options = new MachineOptions();
        foreach (string[] pair in words.Chunk(2))
        {
            switch (pair)
            {
                case ["--memory", string memory] when Number(memory) is int mebibytes:
                    options = options with { MemoryMebibytes = mebibytes };
                    break;
                case ["--disk", string disk] when Number(disk) is int mebibytes:
                    options = options with { Disks = [new MachineDisk("data", (long)mebibytes << 20)] };
                    break;
                case ["--copy", string file] when File.Exists(file):
                    files.Add(file);
                    break;
                default:
                    return null;
            }
        }

        return options;
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : null;
}
