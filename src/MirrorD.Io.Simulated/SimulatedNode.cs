namespace MirrorD.Io.Simulated;

/// <summary>A host: its disks, and the processes that run there now.</summary>
internal sealed class SimulatedNode(string name, SeededRandom random)
{
    public string Name { get; } = name;

    public List<SimulatedLoop> Loops { get; } = [];

    public List<SimulatedDisk> Disks { get; } = [];

    /// <summary>False from a power cut until the next process starts.</summary>
    public bool IsOn { get; set; } = true;

    /// <summary>
    /// What this host's monotonic clock shows when the world's time is 0: hosts don't agree.
    /// </summary>
    public long ClockOffsetNs { get; private set; } = random.Between(1, 1_000_000_000_000);

    /// <summary>The monotonic clock goes forward by itself.</summary>
    public void JumpClock(long deltaNs) => ClockOffsetNs += deltaNs;

    public void SwitchOn()
    {
        if (!IsOn)
        {
            IsOn = true;
            ClockOffsetNs = random.Between(1, 1_000_000_000_000);
        }
    }
}
