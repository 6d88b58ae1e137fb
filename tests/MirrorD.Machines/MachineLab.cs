using MirrorD.Lab;
using MirrorD.Lab.Networks;
using MirrorD.Machines.Devices;

namespace MirrorD.Machines;

/// <summary>
/// A lab (<see cref="MirrorD.Lab.Lab"/>) in which some hosts are whole machines. The others stay what they
/// are, namespaces: a client in one of them reaches the machines over the production network.
/// </summary>
public sealed class MachineLab : IDisposable
{
    private readonly Dictionary<string, Machine> _machines = [];
    private int _prepared;

    /// <summary>
    /// Makes the networks; no machine yet. Where MACHINES_LOG names a file, it gets all that is waited for, with the time.
    /// </summary>
    /// <exception cref="InvalidOperationException">Something that machines need is missing here.</exception>
    public MachineLab()
    {
        if (MachineRequirements.Missing() is string reason)
        {
            throw new InvalidOperationException(reason);
        }

        if (Environment.GetEnvironmentVariable("MACHINES_LOG") is { Length: > 0 } log)
        {
            Wait.Announce = description => File.AppendAllText(log, $"{DateTime.UtcNow:HH:mm:ss.f} {description}\n");
        }

        Networks = new Lab.Lab();
    }

    /// <summary>The networks, their cuts, and the hosts that are not machines.</summary>
    public Lab.Lab Networks { get; }

    /// <summary>The machine in the place of host a.</summary>
    public Machine A => _machines["a"];

    /// <summary>The machine in the place of host b.</summary>
    public Machine B => _machines["b"];

    /// <summary>The client, which is a namespace unless it was made a machine.</summary>
    public Host Client => Networks.Client;

    /// <summary>All machines.</summary>
    public IReadOnlyCollection<Machine> Machines => _machines.Values;

    /// <summary>Makes a host (a, b, client or gateway) a machine, powered off.</summary>
    public Machine Add(Host host, MachineOptions? options = null)
    {
        var machine = new Machine(
            Networks, host, options ?? new MachineOptions(), MachineNetworks.Of(host), "root.qcow2");
        _machines.Add(host.Name, machine);
        return machine;
    }

    /// <summary>Machines a and b, powered off.</summary>
    public void AddPair(MachineOptions? options = null)
    {
        Add(Networks.A, options);
        Add(Networks.B, options);
    }

    /// <summary>
    /// Boots a machine without networks, lets it be changed (packages installed) and stops it. Machines of
    /// this lab can begin with what it leaves, so that the change is made once.
    /// </summary>
    /// <returns>For <see cref="MachineOptions.RootFile"/>.</returns>
    public string PrepareRoot(Action<Machine> change)
    {
        Host place = Networks.Gateway;
        var machine = new Machine(
            Networks, place, new MachineOptions(), MachineNetworks.None(place),
            $"prepared-{++_prepared}.qcow2");
        machine.PowerOn();
        change(machine);
        machine.Stop();
        return machine.RootFile;
    }

    /// <summary>Powers machines on at the same time and waits until all have booted.</summary>
    public void PowerOn(params IReadOnlyList<Machine> machines)
    {
        foreach (Machine machine in machines)
        {
            machine.BeginPowerOn();
        }

        foreach (Machine machine in machines)
        {
            machine.WaitUntilBooted();
        }
    }

    /// <summary>The ends of all consoles and logs, for the message of a failed test.</summary>
    public string Logs(int lines = 40) =>
        string.Join(
            '\n', Machines.Select(machine => machine.ConsoleTail(lines)).Append(Networks.Logs(lines)));

    /// <summary>Kills the machines and removes everything.</summary>
    public void Dispose() => Networks.Dispose();
}
