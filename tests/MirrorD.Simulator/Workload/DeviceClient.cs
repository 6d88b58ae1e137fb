using MirrorD.Simulator.Devices;

namespace MirrorD.Simulator.Workload;

/// <summary>
/// A program on a node that uses block devices there: some requests at once, whatever the daemon does.
/// </summary>
public sealed class DeviceClient(PairSimulation simulation, Hotspots hotspots, SimulatedNodeState home)
{
    private const int MostAtOnce = 4;
    private const long RetryNs = 20_000_000;

    private int _unanswered;
    private bool _isStopped;

    /// <summary>Begins.</summary>
    public void Start() => Again(simulation.World.Random.Between(0, simulation.ThinkNs));

    /// <summary>Submits nothing more.</summary>
    public void Stop() => _isStopped = true;

    private void Again(long delayNs) => simulation.World.Schedule(delayNs, Next);

    private void Next()
    {
        if (_isStopped)
        {
            return;
        }

        int volume = simulation.World.Random.Below(home.Devices.Length);
        KernelDevice device = home.Devices[volume];
        if (device.IsLinked && home.CanOpen)
        {
            simulation.IsAsked(home);
        }

        int wanted = 1 + simulation.World.Random.Below(MostAtOnce);
        for (; wanted > 0 && device.HasRoom; wanted--)
        {
            _unanswered++;
            device.Submit(new KernelRequest(simulation, volume, hotspots, Ended));
        }

        if (_unanswered == 0)
        {
            Again(RetryNs);
        }
    }

    private void Ended(int error)
    {
        if (--_unanswered == 0)
        {
            Again(simulation.World.Random.Between(
                RetryNs / 10, RetryNs + MostAtOnce * simulation.ThinkNs));
        }
    }
}
