using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Devices;

/// <summary>What devices need of <see cref="NbdDriver"/>, which describes the members. They block.</summary>
internal interface INbdDriver
{
    IReadOnlyList<NbdDevice> Find();

    NbdConnection Connect(NbdDeviceOptions options, StreamPair pair);

    bool Reconfigure(int index, string backend, StreamPair pair);

    void SetDeadConnectionTimeout(int index, string backend, long seconds);

    void Disconnect(int index);

    /// <summary><see cref="DeviceUsers.Of"/>.</summary>
    IReadOnlyList<string> UsersOf(string devicePath);
}
