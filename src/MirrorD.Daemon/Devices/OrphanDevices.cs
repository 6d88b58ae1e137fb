using System.Diagnostics;
using MirrorD.Io;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Devices;

/// <summary>
/// Devices that an earlier daemon left for a volume that this node has no more, or that is to have none: nobody would
/// ever answer what waits there, and no unmount would come to an end.
/// </summary>
/// <param name="kernel">The driver.</param>
/// <param name="told">Kind of event and a sentence, for each device.</param>
internal sealed class OrphanDevices(KernelNbd kernel, Action<string, string> told)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the kernel has to notice that an earlier daemon is dead.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Takes away all that nobody claims and nobody serves. What fails is told.</summary>
    /// <param name="claimed">Backends of the volumes of this daemon.</param>
    public async Task TakeAway(IReadOnlySet<string> claimed)
    {
        if (await kernel.Prepare() is not null)
        {
            return;
        }

        try
        {
            INbdDriver driver = await kernel.Driver();
            NbdDevice[] orphans =
            [
                .. driver.Find().Where(device =>
                    device.IsConfigured && DeviceBackend.IsOurs(device.Backend) && !claimed.Contains(device.Backend)),
            ];
            await Task.WhenAll(orphans.Select(device => Task.Run(() => TakeAway(driver, device))));
        }
        catch (IOException failed)
        {
            told("device-failed", $"Left block devices can't be looked for: {failed.Message.TrimEnd('.')}.");
        }
    }

    private async Task TakeAway(INbdDriver driver, NbdDevice device)
    {
        var waited = Stopwatch.StartNew();
        IReadOnlyList<string> users = UsersOf(driver, device);
        try
        {
            while (true)
            {
                if (await KernelNbd.IsServedByNobody(driver, device))
                {
                    Remove(driver, device, users);
                    return;
                }

                if (waited.Elapsed > Patience)
                {
                    told("device-left-alone",
                        $"{device.DevicePath} ({device.Backend}) is of no resource of this node, and another process "
                        + "serves it.");
                    return;
                }

                await Task.Delay(s_pause);
            }
        }
        catch (IOException failed) when (failed.HResult == Errno.EINVAL)
        {
            // It was taken away while somebody had it open, and is none any more.
        }
        catch (IOException failed)
        {
            told("device-failed",
                $"{device.DevicePath} ({device.Backend}) is of no resource of this node, and can't be taken away: "
                + $"{failed.Message.TrimEnd('.')}. The next start of mirrord tries again.");
        }
    }

    private void Remove(INbdDriver driver, NbdDevice device, IReadOnlyList<string> users)
    {
        driver.Disconnect(device.Index);
        kernel.TellChange(device.Index);
        told("device-removed",
            $"{device.DevicePath} was left by an earlier mirrord for {DeviceBackend.VolumeOf(device.Backend)}, which has no "
            + $"block device on this node any more. It is taken away, and what waited there failed{(users.Count == 0
                ? "" : $"; it was {string.Join(", ", users)}")}.");
    }

    private static IReadOnlyList<string> UsersOf(INbdDriver driver, NbdDevice device)
    {
        try
        {
            return driver.UsersOf(device.DevicePath);
        }
        catch (IOException)
        {
            // It goes in any case.
            return [];
        }
    }
}
