using System.Globalization;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;

namespace MirrorD.Benchmarks.Contenders;

/// <summary>What is otherwise than usual around what is measured.</summary>
internal static class Surroundings
{
    /// <summary>
    /// Puts a line that takes time in the place of the dedicated link, which only its processor time bounds: interfaces of
    /// the same name and addresses, and a program (far.c) that passes frames on later.
    /// </summary>
    /// <param name="ground">Nothing runs on it yet.</param>
    /// <param name="roundTripMs">Time there and back, in milliseconds.</param>
    public static Ground Far(Ground ground, double roundTripMs)
    {
        Host a = ground.Lab.A;
        Host b = ground.Lab.B;
        string program = Path.Combine(ground.Lab.Directory, "far");
        Tool.Run("gcc", "-O2", "-o", program, Path.Combine(AppContext.BaseDirectory, "far.c")).Require();
        a.Run("ip", "link", "del", Host.DedicatedInterface).Require();
        string oneWayUs = (roundTripMs / 2 * 1000).ToString("0", CultureInfo.InvariantCulture);
        LabProcess line = ground.Lab.Start("far", program, a.Namespace, b.Namespace, Host.DedicatedInterface, oneWayUs);
        line.WaitForOutput("ready", 10);
        foreach (Host host in (Host[])[a, b])
        {
            host.Run("ip", "addr", "add", $"{host.DedicatedAddress}/24", "dev", Host.DedicatedInterface).Require();
            host.Run("ip", "link", "set", Host.DedicatedInterface, "mtu", "9000", "up").Require();
        }

        Lab.Wait.For("the far node to answer", 20, () => a.Pings(b.DedicatedAddress!), () => line.Tail());
        return ground;
    }

    /// <summary>Starts a program on each processor that does nothing but turn.</summary>
    public static Ground Busy(Ground ground)
    {
        for (int i = 0; i < Environment.ProcessorCount; i++)
        {
            ground.Lab.Start(
                $"busy-{i}", "taskset", "--cpu-list", i.ToString(CultureInfo.InvariantCulture),
                "sh", "-c", "while :; do :; done");
        }

        return ground;
    }
}
