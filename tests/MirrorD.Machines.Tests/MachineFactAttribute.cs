using MirrorD.Machines;

namespace MirrorD.Machines.Tests;

/// <summary>A test that boots machines; where none can be started it is skipped and says why.</summary>
public sealed class MachineFactAttribute : FactAttribute
{
    private static readonly string? Missing = MachineRequirements.Missing();

    public MachineFactAttribute() => Skip = Missing;
}
