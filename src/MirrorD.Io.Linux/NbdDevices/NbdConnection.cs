namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>A device that was just connected.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Warnings">A sentence for each setting of its queue that could not be made.</param>
public sealed record NbdConnection(int Index, IReadOnlyList<string> Warnings)
{
    /// <summary>The device node.</summary>
    public string DevicePath => NbdDevice.PathOf(Index);
}
