using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Devices;

/// <summary>The driver of the running kernel.</summary>
internal sealed class KernelNbdDriver(NbdDriver driver) : INbdDriver
{
    public IReadOnlyList<NbdDevice> Find() => driver.Find();

    public int Connect(NbdDeviceOptions options, StreamPair pair) => driver.Connect(options, pair);

    public IReadOnlyList<string> Apply(NbdQueueSettings settings, int index) => settings.Apply(index);

    public bool Reconfigure(int index, string backend, StreamPair pair) =>
        driver.Reconfigure(index, backend, pair);

    public void SetDeadConnectionTimeout(int index, string backend, long seconds) =>
        driver.SetDeadConnectionTimeout(index, backend, seconds);

    public void SetSize(int index, string backend, long sizeBytes) => driver.SetSize(index, backend, sizeBytes);

    public void Disconnect(int index) => driver.Disconnect(index);

    public IReadOnlyList<string> UsersOf(string devicePath) => DeviceUsers.Of(devicePath);

    public IReadOnlyList<string> UnseenUsersOf(string devicePath) => DeviceUsers.Unseen(devicePath);
}
