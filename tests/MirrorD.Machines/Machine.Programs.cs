using System.Text;
using System.Text.Json;
using MirrorD.Lab;
using MirrorD.Lab.Processes;
using MirrorD.Machines.Agent;

namespace MirrorD.Machines;

/// <summary>Programs and files in the machine; none of it needs a network.</summary>
public sealed partial class Machine
{
    private const double UsualSeconds = 180;
    private const int ChunkBytes = 256 << 10;
    private int _copies;

    /// <summary>Runs a program and waits for its end.</summary>
    /// <returns>Exit status and outputs; 137 when it was killed at its deadline.</returns>
    public ToolResult Run(string program, params IReadOnlyList<string> arguments) =>
        RunWithin(UsualSeconds, program, arguments);

    /// <summary>As <see cref="Run"/>, with another deadline in seconds.</summary>
    public ToolResult RunWithin(double seconds, string program, params IReadOnlyList<string> arguments)
    {
        GuestProcess process = Start(program, arguments);
        try
        {
            return process.WaitForExit(seconds);
        }
        catch (TimeoutException)
        {
            process.Kill();
            return new ToolResult(
                Tool.CommandLine(program, arguments), 137, "", $"killed: not done after {seconds:0} s");
        }
    }

    /// <summary>Runs a script by sh -eu.</summary>
    public ToolResult Shell(string script, double seconds = UsualSeconds) =>
        RunWithin(seconds, "sh", "-euc", script);

    /// <summary>Starts a program, to be collected later.</summary>
    public GuestProcess Start(string program, params IReadOnlyList<string> arguments) =>
        GuestProcess.Start(GuestAgent, Name, program, arguments, null);

    /// <summary>Writes a file whose directory is there.</summary>
    public void WriteFile(string path, string text) => WriteFile(path, Encoding.UTF8.GetBytes(text));

    /// <summary>
    /// Writes a file whose directory is there; large ones go better by <see cref="CopyIn"/>.
    /// </summary>
    public void WriteFile(string path, byte[] bytes)
    {
        long handle = GuestAgent.Call("guest-file-open", new { path, mode = "w" }).GetInt64();
        foreach (byte[] chunk in bytes.Chunk(ChunkBytes))
        {
            GuestAgent.Call("guest-file-write", new Dictionary<string, object>
            {
                ["handle"] = handle,
                ["buf-b64"] = Convert.ToBase64String(chunk),
            });
        }

        GuestAgent.Call("guest-file-close", new { handle });
    }

    /// <summary>Reads a text file.</summary>
    /// <exception cref="GuestAgentException">It is not there.</exception>
    public string ReadFile(string path) => Encoding.UTF8.GetString(ReadBytes(path));

    /// <summary>Reads a file.</summary>
    /// <exception cref="GuestAgentException">It is not there.</exception>
    public byte[] ReadBytes(string path) => ReadBytes(path, Agent.GuestAgent.RequestDeadline);

    /// <summary>
    /// Copies a file of any size into the machine, by a read-only disk that is there for as long as it takes.
    /// </summary>
    /// <param name="localPath">The file here.</param>
    /// <param name="path">The file there; its directory is there.</param>
    public void CopyIn(string localPath, string path)
    {
        _copies++;
        string serial = $"copy{_copies}";
        long lengthBytes = new FileInfo(localPath).Length;
        string padded = Path.Combine(Host.Directory, serial);
        File.Copy(localPath, padded, overwrite: true);
        using (var stream = new FileStream(padded, FileMode.Open))
        {
            // A disk has whole sectors, and at least one.
            stream.SetLength(Math.Max(lengthBytes + 511, 512) / 512 * 512);
        }

        var file = new Dictionary<string, object>
        {
            ["driver"] = "file",
            ["node-name"] = serial,
            ["filename"] = padded,
            ["read-only"] = true,
        };
        Monitor.Call("blockdev-add", file);
        Monitor.Call("device_add", new { driver = "virtio-blk-pci", id = serial, drive = serial, serial });
        string disk = $"/dev/disk/by-id/virtio-{serial}";
        Wait.For($"{disk} to be on {Name}", 60, () => Run("test", "-b", disk).Succeeded, () => ConsoleTail());
        Shell($"head -c {lengthBytes} {disk} > '{path}'").Require();

        Monitor.Call("device_del", new { id = serial });
        var node = new Dictionary<string, object> { ["node-name"] = serial };
        Wait.For(
            $"{disk} to be gone from {Name}", 60,
            () => TryMonitor("blockdev-del", node), () => ConsoleTail());
        File.Delete(padded);
    }

    private byte[] ReadBytes(string path, TimeSpan deadline)
    {
        long handle = GuestAgent.Call("guest-file-open", new { path, mode = "r" }, deadline).GetInt64();
        using var bytes = new MemoryStream();
        bool atEnd = false;
        while (!atEnd)
        {
            JsonElement chunk =
                GuestAgent.Call("guest-file-read", new { handle, count = ChunkBytes }, deadline);
            bytes.Write(chunk.GetProperty("buf-b64").GetBytesFromBase64());
            atEnd = chunk.GetProperty("eof").GetBoolean();
        }

        GuestAgent.Call("guest-file-close", new { handle }, deadline);
        return bytes.ToArray();
    }

    // Refused for as long as the machine has not let go of the device.
    private bool TryMonitor(string command, object arguments)
    {
        try
        {
            Monitor.Call(command, arguments);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
