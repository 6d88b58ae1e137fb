using MirrorD.Lab.Processes;
using MirrorD.Machines.Devices;

namespace MirrorD.Machines.Tests;

/// <summary>The lab of machines comes and goes.</summary>
public sealed class MachineLabTests
{
    [MachineFact]
    public void A_lab_leaves_nothing_behind_though_its_machine_runs()
    {
        string id;
        int qemu;
        using (var lab = new MachineLab())
        {
            id = lab.Networks.Id;
            Machine machine = lab.Add(lab.Networks.Client, new MachineOptions
            {
                MemoryMebibytes = 256,
                Disks = [new MachineDisk("gone", 16 << 20)],
            });
            machine.BeginPowerOn();
            qemu = machine.Qemu.Id;
            Assert.NotNull(Signals.StartTime(qemu));
        }

        Assert.Null(Signals.StartTime(qemu));
        Assert.DoesNotContain(id, Tool.Run("ps", "-e", "-o", "args").Output, StringComparison.Ordinal);
        Assert.DoesNotContain(id, Tool.Run("ip", "netns", "list").Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Path.GetTempPath(), "mirrord-lab", id)));
    }
}
