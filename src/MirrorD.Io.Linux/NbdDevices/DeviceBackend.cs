namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>What devices of a mirrord are connected for, as "mirrord:mail/data"; the udev rule reads it as well.</summary>
public static class DeviceBackend
{
    private const string Prefix = "mirrord:";

    /// <summary>The backend that names a volume on this host.</summary>
    public static string Of(string resource, string volume) => $"{Prefix}{resource}/{volume}";

    /// <summary>The device is, or was, of a mirrord.</summary>
    public static bool IsOurs(string backend) => backend.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Resource and volume of a device of a mirrord, as "mail/data".</summary>
    public static string VolumeOf(string backend) => backend[Prefix.Length..];
}
