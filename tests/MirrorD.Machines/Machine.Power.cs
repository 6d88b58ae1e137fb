using System.Net.Sockets;
using System.Text;
using MirrorD.Lab;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Processes;
using MirrorD.Machines.Agent;
using MirrorD.Machines.Devices;

namespace MirrorD.Machines;

/// <summary>Power: on, cut, orderly off, again.</summary>
public sealed partial class Machine
{
    // A boot takes 10 s on a machine with nothing else to do, and many times that on a busy one.
    private const double BootSeconds = 300;

    /// <summary>Powers it on and waits until it has booted.</summary>
    public void PowerOn()
    {
        BeginPowerOn();
        WaitUntilBooted();
    }

    /// <summary>Powers it on without waiting; its disks come back with it.</summary>
    public void BeginPowerOn()
    {
        if (IsOn)
        {
            throw new InvalidOperationException($"{Name} is on");
        }

        foreach (VolatileDiskServer disk in _disks.Values.Where(disk => !disk.IsOn))
        {
            disk.Restore();
        }

        Disconnect();
        foreach (string socket in (string[])[ConsoleSocket, MonitorSocket, AgentSocket])
        {
            File.Delete(socket);
        }

        _starts++;
        _qemu = Host.Start($"qemu-{_starts}", MachineRequirements.Qemu, QemuArguments());
        Wait.For($"QEMU of {Name} to listen", 60, IsListening, () => Qemu.Tail());
        _agent = new GuestAgent(Name, AgentSocket);
    }

    /// <summary>
    /// Waits until the agent answers: programs run then, though services may still be started.
    /// </summary>
    public void WaitUntilAnswering() =>
        Wait.For(
            $"{Name} to answer", BootSeconds,
            () => WhileOn(GuestAgent.IsAnswering), () => ConsoleTail());

    /// <summary>Waits until systemd has started everything.</summary>
    public void WaitUntilBooted()
    {
        WaitUntilAnswering();
        string state = RunWithin(BootSeconds, "systemctl", "is-system-running", "--wait").Output.Trim();
        if (state is not ("running" or "degraded"))
        {
            throw new InvalidOperationException($"{Name} did not boot: it is {state}\n{ConsoleTail()}");
        }
    }

    /// <summary>
    /// Power cut: QEMU is killed in the middle of what it does, then its disks lose what was not flushed.
    /// What had left the machine for its root disk is kept, as by a drive without a cache.
    /// </summary>
    public void PowerCut()
    {
        Qemu.Kill();
        foreach (VolatileDiskServer disk in _disks.Values)
        {
            disk.CutPower();
        }

        Disconnect();
    }

    /// <summary>
    /// Stands still: it answers nobody, and goes on at <see cref="Resume"/> as if nothing had been.
    /// </summary>
    public void Pause() => Monitor.Call("stop");

    /// <summary>Goes on after <see cref="Pause"/>.</summary>
    public void Resume() => Monitor.Call("cont");

    /// <summary>Orderly shutdown; the disks write their caches back and go off.</summary>
    public void Stop(double seconds = 180)
    {
        GuestAgent.Send("guest-exec", new { path = "systemctl", arg = (string[])["poweroff"] });
        WaitUntilOff(seconds);
    }

    /// <summary>Waits until it has switched itself off.</summary>
    public void WaitUntilOff(double seconds = 180)
    {
        Wait.For($"{Name} to power itself off", seconds, () => !Qemu.IsRunning, () => ConsoleTail());
        foreach (VolatileDiskServer disk in _disks.Values)
        {
            // QEMU flushed them when it ended.
            disk.CutPower();
        }

        Disconnect();
    }

    /// <summary>Orderly reboot; the disks keep their power. Waits until it has booted again.</summary>
    public void Reboot()
    {
        string before = BootId();
        BeginReboot();
        WaitUntilRebooted(before);
    }

    /// <summary>Asks for an orderly reboot without waiting.</summary>
    public void BeginReboot() =>
        GuestAgent.Send("guest-exec", new { path = "systemctl", arg = (string[])["reboot"] });

    /// <summary>Waits until it has booted again.</summary>
    /// <param name="bootId">Of the boot that ends.</param>
    /// <param name="seconds">For the shutdown and the boot.</param>
    public void WaitUntilRebooted(string bootId, double seconds = BootSeconds)
    {
        Wait.For(
            $"{Name} to reboot", seconds,
            () => WhileOn(() => HasBootedAfter(bootId)), () => ConsoleTail());
        WaitUntilBooted();
    }

    // The agent that is asked may be the one that is about to end.
    private bool HasBootedAfter(string bootId)
    {
        try
        {
            return Encoding.ASCII.GetString(ReadBytes(BootIdPath, TimeSpan.FromSeconds(5))).Trim() != bootId;
        }
        catch (GuestAgentException)
        {
            return false;
        }
    }

    private bool IsListening()
    {
        try
        {
            return WhileOn(() =>
                File.Exists(MonitorSocket) && (_monitor = new QemuMonitor(MonitorSocket)) is not null);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private bool WhileOn(Func<bool> condition) =>
        Qemu.IsRunning
            ? condition()
            : throw new InvalidOperationException($"QEMU of {Name} ended\n{Qemu.Tail()}\n{ConsoleTail()}");

    private void Disconnect()
    {
        _agent?.Dispose();
        _agent = null;
        _monitor?.Dispose();
        _monitor = null;
    }
}
