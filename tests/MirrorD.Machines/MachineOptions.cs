using MirrorD.Machines.Devices;

namespace MirrorD.Machines;

/// <summary>What a machine has.</summary>
public sealed record MachineOptions
{
    /// <summary>Memory in MiB.</summary>
    public int MemoryMebibytes { get; init; } = 768;

    /// <summary>Processors.</summary>
    public int Processors { get; init; } = 1;

    /// <summary>Disks besides the one with the root file system.</summary>
    public IReadOnlyList<MachineDisk> Disks { get; init; } = [];

    /// <summary>
    /// A root file system from <see cref="MachineLab.PrepareRoot"/>; null for a bare Debian.
    /// </summary>
    public string? RootFile { get; init; }

    /// <summary>More words for the kernel's command line.</summary>
    public string KernelParameters { get; init; } = "";
}
