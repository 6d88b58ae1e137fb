using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>
/// The kernel's nbd driver, asked over generic netlink. Its calls block: never call them on a loop. Calls
/// from several threads take turns.
/// </summary>
public sealed class NbdDriver : IDisposable
{
    internal const string FamilyName = "nbd";

    /// <summary>udev looks at a device that was just made; that lasts for milliseconds, on a slow machine longer.</summary>
    public static readonly TimeSpan BusyPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(20);

    private readonly Lock _turn = new();
    private readonly NetlinkSocket _socket;
    private readonly GenericNetlinkFamily _family;

    private NbdDriver(NetlinkSocket socket, GenericNetlinkFamily family)
    {
        _socket = socket;
        _family = family;
    }

    /// <summary>Reaches the driver, and loads its module if it is not there yet.</summary>
    /// <param name="driver">The driver.</param>
    /// <param name="cause">Why it can't be used, a clause with the remedy.</param>
    /// <returns>It can be used.</returns>
    public static bool TryOpen(
        [NotNullWhen(true)] out NbdDriver? driver, [NotNullWhen(false)] out string? cause) =>
        TryOpen(FamilyName, NbdModule.TryLoad, out driver, out cause);

    /// <summary>The same with another name of the family and another way to load the module.</summary>
    internal static bool TryOpen(
        string familyName,
        Func<string?> load,
        [NotNullWhen(true)] out NbdDriver? driver,
        [NotNullWhen(false)] out string? cause)
    {
        driver = null;
        NetlinkSocket? socket = null;
        try
        {
            // First: newer kernels load the module themselves when they are asked for the family, with
            // sixteen devices that nobody needs.
            string? loadFailure = load();
            socket = new NetlinkSocket(Netlink.NETLINK_GENERIC);
            GenericNetlinkFamily.TryResolve(socket, familyName, out GenericNetlinkFamily? family);
            cause = family is null
                ? NbdModule.CauseOfAbsence("/", loadFailure)
                : NbdModule.CauseOfRefusal("/");
            if (cause is null)
            {
                driver = new NbdDriver(socket, family!);
                socket = null;
                return true;
            }
        }
        catch (IOException e)
        {
            cause = e.Message;
        }
        finally
        {
            socket?.Dispose();
        }

        return false;
    }

    /// <summary>
    /// Makes a device. The daemon's end of the pair has to be served already: udev reads the device as soon as
    /// it is there. Closes the kernel's end.
    /// </summary>
    /// <returns>Its number.</returns>
    /// <exception cref="ArgumentException">A value that the kernel would refuse or misread.</exception>
    /// <exception cref="IOException">The kernel refused; the message names cause and remedy.</exception>
    public int Connect(NbdDeviceOptions options, StreamPair pair)
    {
        options.Validate();
        int? index = null;
        long startNs = Clock.BootTimeNs;
        int result;
        while (true)
        {
            result = Execute(
                NbdMessages.Connect(_family, options, Fd(pair.KernelEnd)),
                (_, body) => index = NbdMessages.Index(body));
            if (result != -Errno.EBUSY || Clock.BootTimeNs - startNs > BusyPatience.TotalNanoseconds)
            {
                break;
            }

            Thread.Sleep(BusyPause);
        }

        pair.KernelEnd.Dispose();
        string what = $"The kernel did not make a block device for {options.Backend}";
        if (result < 0)
        {
            throw Refused(what, result, Errno.EBUSY, "Another process has the unconnected device open.");
        }

        return index
            ?? throw new IOException($"{what}: it did not tell its number.");
    }

    /// <summary>
    /// Gives a device another socket in place of a dead one. The kernel takes none while it believes the old
    /// one alive, which ends within moments of the end of the other side. Closes the kernel's end; the daemon's
    /// end is only looked at and must not be adopted by a loop yet.
    /// </summary>
    /// <returns>
    /// The kernel took the socket: requests come at the daemon's end. False: it did not; try again with
    /// another pair. A program that this process starts meanwhile may hold the kernel's end for moments: then this is true,
    /// and the daemon's end hears of the end later.
    /// </returns>
    /// <exception cref="IOException">The kernel refused; the message names cause and remedy.</exception>
    public bool Reconfigure(int index, string backend, StreamPair pair)
    {
        NetlinkMessage message = NbdMessages.Reconfigure(_family, index, backend, Fd(pair.KernelEnd));
        RequireAccepted(Execute(message), index, backend, "give a socket to");

        // The kernel accepts in either case. When it did not keep the socket, ours was its last user.
        pair.KernelEnd.Dispose();
        return pair.IsOtherEndOpen();
    }

    /// <summary>
    /// Changes how long requests wait once the socket is dead. Requests that wait already keep the time that
    /// held when they began to.
    /// </summary>
    /// <exception cref="IOException">The kernel refused; the message names cause and remedy.</exception>
    public void SetDeadConnectionTimeout(int index, string backend, long seconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(seconds);
        NetlinkMessage message = NbdMessages.SetDeadConnectionTimeout(_family, index, backend, seconds);
        RequireAccepted(Execute(message), index, backend, "set the timeout of");
    }

    /// <summary>Changes the size of a device, in use or not. It has to be connected: the kernel may ask for its contents.</summary>
    /// <exception cref="IOException">The kernel refused; the message names cause and remedy.</exception>
    public void SetSize(int index, string backend, long sizeBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sizeBytes);
        RequireAccepted(Execute(NbdMessages.SetSize(_family, index, backend, sizeBytes)), index, backend, "set the size of");
    }

    /// <summary>
    /// Ends a device. Nothing is flushed, and requests under way or waiting fail with EIO: it must be unused
    /// (<see cref="DeviceUsers"/>). While somebody has it open nevertheless, it keeps its backend and is
    /// still found, but takes no socket any more. A device that is not connected is left as it is.
    /// </summary>
    /// <exception cref="IOException">The kernel refused; the message names cause and remedy.</exception>
    public void Disconnect(int index)
    {
        int result = Execute(NbdMessages.Disconnect(_family, index));
        if (result < 0)
        {
            throw Refused(
                $"The kernel did not disconnect {NbdDevice.PathOf(index)}", result,
                Errno.EINVAL, "There is no such device.");
        }
    }

    /// <summary>All devices that have a backend, in the order of their numbers.</summary>
    /// <exception cref="IOException">The kernel refused; the message names cause and remedy.</exception>
    public IReadOnlyList<NbdDevice> Find()
    {
        HashSet<int> configured = [];
        int result = Execute(
            NbdMessages.Status(_family), (_, body) => configured.UnionWith(NbdMessages.Configured(body)));
        return result >= 0
            ? NbdDeviceList.Read("/sys/block", configured)
            : throw Refused("The kernel did not tell its nbd devices", result, 0, "");
    }

    /// <summary>Ends the conversation; devices stay.</summary>
    public void Dispose() => _socket.Dispose();

    private static int Fd(SafeHandle handle)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed || handle.IsInvalid, handle);
        return (int)handle.DangerousGetHandle();
    }

    private int Execute(NetlinkMessage message, NetlinkVisitor? visit = null)
    {
        lock (_turn)
        {
            return _socket.Execute(message, visit);
        }
    }

    private static void RequireAccepted(int result, int index, string backend, string what)
    {
        if (result < 0)
        {
            throw Refused(
                $"The kernel did not {what} {NbdDevice.PathOf(index)}", result,
                Errno.EINVAL, $"The device is not connected, or not for {backend}.");
        }
    }

    private static IOException Refused(string what, int result, int explained, string explanation)
    {
        string remedy = result == -Errno.EPERM
            ? " It needs the capability CAP_SYS_ADMIN: run as root or grant it."
            : result == -explained ? $" {explanation}" : "";
        return new IOException($"{what}: {LinuxError.Text(-result)}.{remedy}", -result);
    }
}
