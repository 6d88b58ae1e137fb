using MirrorD.Machines.Devices;

namespace MirrorD.Machines.Tests;

/// <summary>
/// Two machines that the tests of a class share; each test leaves them on, with whole networks.
/// </summary>
public sealed class TwoMachines : IDisposable
{
    /// <summary>A disk that writes nothing back by itself.</summary>
    public const string Strict = "strict";

    /// <summary>A disk that writes half of its blocks back at once.</summary>
    public const string Evicting = "evicting";

    private readonly Lazy<MachineLab> _lab = new(Boot);

    /// <summary>Booted at its first use.</summary>
    public MachineLab Lab => _lab.Value;

    public void Dispose()
    {
        if (_lab.IsValueCreated)
        {
            _lab.Value.Dispose();
        }
    }

    private static MachineLab Boot()
    {
        var lab = new MachineLab();
        try
        {
            lab.AddPair(new MachineOptions
            {
                MemoryMebibytes = 512,
                Disks =
                [
                    new MachineDisk(Strict, 16 << 20),
                    new MachineDisk(Evicting, 2 << 20, EvictPercent: 50),
                ],
            });
            lab.PowerOn(lab.A, lab.B);
            return lab;
        }
        catch
        {
            lab.Dispose();
            throw;
        }
    }
}
