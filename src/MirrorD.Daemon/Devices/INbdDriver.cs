using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Devices;

/// <summary>What devices need of <see cref="NbdDriver"/>, which describes the members. They block.</summary>
internal interface INbdDriver
{
    IReadOnlyList<NbdDevice> Find();

    int Connect(NbdDeviceOptions options, StreamPair pair);

    /// <summary><see cref="NbdQueueSettings.Apply(int)"/>.</summary>
    IReadOnlyList<string> Apply(NbdQueueSettings settings, int index);

    bool Reconfigure(int index, string backend, StreamPair pair);

    void SetDeadConnectionTimeout(int index, string backend, long seconds);

    void SetSize(int index, string backend, long sizeBytes);

    void Disconnect(int index);

    /// <summary><see cref="DeviceUsers.Of"/>.</summary>
    IReadOnlyList<string> UsersOf(string devicePath);

    /// <summary><see cref="DeviceUsers.Unseen"/>.</summary>
    IReadOnlyList<string> UnseenUsersOf(string devicePath);
}
