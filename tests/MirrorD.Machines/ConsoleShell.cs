using System.Diagnostics;
using System.Net.Sockets;
using MirrorD.Lab;
using MirrorD.Machines.Agent;

namespace MirrorD.Machines;

/// <summary>A shell on a machine's serial console, joined with this terminal.</summary>
internal static class ConsoleShell
{
    /// <summary>Returns the shell's status once it has ended.</summary>
    public static int Run(Machine machine)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(machine.ConsoleSocket));
        GuestProcess shell = machine.Start(
            "systemd-run", "--quiet", "--wait", "--unit=console-shell", "--working-directory=/root",
            "--property=StandardInput=tty", "--property=StandardOutput=tty", "--property=StandardError=tty",
            "--property=TTYPath=/dev/ttyS0", $"--setenv=TERM={Environment.GetEnvironmentVariable("TERM")}",
            "--setenv=HOME=/root", "bash", "-l");
        string? saved = Console.IsInputRedirected ? null : Terminal("-g");
        try
        {
            if (saved is not null)
            {
                // Each key is the machine's, Ctrl-C too.
                Terminal("raw", "-echo");
            }

            var stream = new NetworkStream(socket);
            Copy(
                stream, Console.OpenStandardOutput(),
                whenFirst: () => Copy(Console.OpenStandardInput(), stream));
            return shell.WaitForExit(TimeSpan.FromDays(1).TotalSeconds).ExitCode;
        }
        finally
        {
            if (saved is not null)
            {
                Terminal(saved);
            }
        }
    }

    // The terminal drops what is typed before the shell has it: keys wait for its first word.
    private static void Copy(Stream from, Stream to, Action? whenFirst = null) =>
        new Thread(() =>
        {
            try
            {
                byte[] bytes = new byte[4096];
                for (int count = from.Read(bytes); count > 0; count = from.Read(bytes))
                {
                    to.Write(bytes, 0, count);
                    to.Flush();
                    whenFirst?.Invoke();
                    whenFirst = null;
                }
            }
            catch (IOException)
            {
                // The machine is off.
            }
        })
        { IsBackground = true }.Start();

    private static string Terminal(params string[] words)
    {
        var start = new ProcessStartInfo("stty", words) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return output;
    }
}
