using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net.NetworkInformation;
using System.Reflection;
using MirrorD.Engine.Replication;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.Memory;

namespace MirrorD.Daemon.Memory;

/// <summary>
/// Reads in the code that loops may run: much of it runs for the first time when something fails, and then there may be no
/// memory to read it into, or its disk may wait for this process.
/// </summary>
internal static class ProgramPages
{
    /// <summary>Reads it in.</summary>
    /// <returns>Null, or why it will be read in when it is needed: a clause.</returns>
    public static string? TakeAll()
    {
        try
        {
            return ReadIn() > 0 ? null : "the kernel can't read it in ahead (MADV_POPULATE_READ, Linux 5.14)";
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or BadImageFormatException)
        {
            return failed.Message.TrimEnd('.');
        }
    }

    private static long ReadIn()
    {
        var needed = new HashSet<string>(StringComparer.Ordinal)
        {
            FileOf(typeof(ProgramPages).Assembly), FileOf(typeof(NLog.Logger).Assembly),
        };
        Add(typeof(ReplicatedResource).Assembly, needed);
        Add(typeof(LinuxLoop).Assembly, needed);
        Add(typeof(NetworkInterface).Assembly, needed);
        Add(typeof(BlockingCollection<>).Assembly, needed);
        return MappedFiles.ReadIn(file => needed.Contains(Path.GetFileName(file)) || IsNative(Path.GetFileName(file)));
    }

    /// <summary>The assembly and all that it refers to.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The program is published untrimmed.")]
    private static void Add(Assembly assembly, HashSet<string> files)
    {
        if (!files.Add(FileOf(assembly)))
        {
            return;
        }

        foreach (AssemblyName name in assembly.GetReferencedAssemblies())
        {
            Add(Assembly.Load(name), files);
        }
    }

    private static string FileOf(Assembly assembly) => $"{assembly.GetName().Name}.dll";

    private static bool IsNative(string name) => name.StartsWith("libcoreclr", StringComparison.Ordinal)
        || name.StartsWith("libclrjit", StringComparison.Ordinal)
        || name.StartsWith("libSystem.Native", StringComparison.Ordinal)
        || name.StartsWith("libc.so", StringComparison.Ordinal);
}
