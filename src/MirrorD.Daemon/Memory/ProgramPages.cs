using MirrorD.Io.Linux.Memory;

namespace MirrorD.Daemon.Memory;

/// <summary>
/// Reads in the program and the libraries it has loaded: much of the code runs for the first time when something fails, and
/// then there may be no memory to read it into, or its disk may wait for this process.
/// </summary>
internal static class ProgramPages
{
    /// <summary>Reads them in.</summary>
    /// <returns>Null, or why they will be read in when they are needed: a clause.</returns>
    public static string? TakeAll()
    {
        try
        {
            return MappedFiles.ReadIn(IsCode) > 0
                ? null
                : "the kernel can't read it in ahead (MADV_POPULATE_READ, Linux 5.14)";
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return failed.Message.TrimEnd('.');
        }
    }

    // Libraries are named libc.so.6 and so on.
    private static bool IsCode(string file) =>
        file == Environment.ProcessPath || Path.GetFileName(file).Contains(".so", StringComparison.Ordinal);
}
