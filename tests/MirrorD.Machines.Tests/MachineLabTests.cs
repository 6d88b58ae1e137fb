using MirrorD.Lab.Processes;
using MirrorD.Machines.Devices;

namespace MirrorD.Machines.Tests;

/// <summary>The lab of machines comes and goes.</summary>
public sealed class MachineLabTests
{
    [MachineFact]
    public void Machines_begin_with_a_root_that_was_prepared_once_and_are_not_the_machine_that_prepared_it()
    {
        using var lab = new MachineLab();
        string id = "";
        string root = lab.PrepareRoot(machine =>
        {
            machine.Shell("echo prepared > /root/file").Require();
            id = machine.ReadFile("/etc/machine-id");
        });
        Machine client = lab.Add(lab.Networks.Client, new MachineOptions { RootFile = root });
        client.PowerOn();
        Assert.Equal("prepared\n", client.ReadFile("/root/file"));
        Assert.NotEqual(id, client.ReadFile("/etc/machine-id"));
        Assert.True(client.Pings(lab.Networks.Gateway.ProductionAddress));
    }

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
