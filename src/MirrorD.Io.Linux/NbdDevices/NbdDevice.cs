namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>A device of the kernel's nbd driver that has a backend.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Backend">What it was connected for.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="ConnectedBy">Process that connected it; it may be long gone. Null: none is told.</param>
/// <param name="IsConfigured">
/// It was connected, and was not disconnected since or is still open. Its socket may be dead nevertheless:
/// the kernel does not tell.
/// </param>
public sealed record NbdDevice(
    int Index, string Backend, long SizeBytes, int? ConnectedBy, bool IsConfigured)
{
    /// <summary>The device node.</summary>
    public string DevicePath => PathOf(Index);

    /// <summary>The node of a device's number.</summary>
    public static string PathOf(int index) => $"/dev/nbd{index}";
}
