using System.Diagnostics;

namespace MirrorD.Daemon.Tests.Processes;

/// <summary>Words that let a program begin where the kernel refuses io_uring to it: without-io-uring.c, compiled.</summary>
internal static class RefusedUring
{
    /// <summary>To be written before the program.</summary>
    /// <param name="directory">Where it is compiled.</param>
    /// <param name="errno">What the kernel answers to io_uring_setup(2).</param>
    public static string[] Words(TemporaryDirectory directory, int errno)
    {
        string program = directory.At("without-io-uring");
        string source = Path.Combine(AppContext.BaseDirectory, "Processes", "without-io-uring.c");
        using Process compiler = Process.Start("cc", ["-Wall", "-Wextra", "-Werror", "-o", program, source]);
        compiler.WaitForExit();
        Assert.True(compiler.ExitCode == 0, "cc failed: apt-get install gcc libc6-dev linux-libc-dev");
        return [program, $"{errno}"];
    }
}
