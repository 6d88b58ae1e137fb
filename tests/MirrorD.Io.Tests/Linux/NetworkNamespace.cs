using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MirrorD.Io.Tests.Linux;

/// <summary>A network namespace of a test; code runs in it on a thread of its own.</summary>
internal sealed partial class NetworkNamespace : IDisposable
{
    private const int CLONE_NEWNET = 0x40000000;

    private static int _count;

    public NetworkNamespace()
    {
        Name = $"mdio-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}";
        Command.Run("ip", "netns", "add", Name);
        Ip("link", "set", "lo", "up");
    }

    public string Name { get; }

    /// <summary>Option of nsenter(1).</summary>
    public string EnterOption => $"--net=/run/netns/{Name}";

    /// <summary>Joins two namespaces by a cable whose ends are named alike in both and are up.</summary>
    public static void Connect(NetworkNamespace a, NetworkNamespace b, string interfaceName)
    {
        a.Ip("link", "add", interfaceName, "type", "veth", "peer", "name", interfaceName, "netns", b.Name);
        a.Ip("link", "set", interfaceName, "up");
        b.Ip("link", "set", interfaceName, "up");
        a.WaitUntilUp(interfaceName);
        b.WaitUntilUp(interfaceName);
    }

    /// <summary>An Ethernet interface that is up; its cable ends in the same namespace.</summary>
    public void AddInterface(string name)
    {
        Ip("link", "add", name, "type", "veth", "peer", "name", $"{name}-end");
        Ip("link", "set", name, "up");
        Ip("link", "set", $"{name}-end", "up");
        WaitUntilUp(name);
    }

    // nsenter and not "ip -n", which fails where / is no mount point: in a chroot.
    public string Ip(params string[] arguments) => Command.Run("nsenter", [EnterOption, "ip", .. arguments]);

    /// <summary>Runs one command of nft(8) there.</summary>
    public string Nft(string command) => Command.Run("nsenter", EnterOption, "nft", command);

    /// <summary>MAC of an interface as ip(8) writes it.</summary>
    public string MacOf(string interfaceName)
    {
        string[] words = Ip("-o", "link", "show", "dev", interfaceName).Split(' ');
        return words[Array.IndexOf(words, "link/ether") + 1];
    }

    /// <summary>Waits until the table of neighbours has the MAC for the address.</summary>
    public void WaitForNeighbour(IPAddress address, string mac) => WaitFor(
        $"{mac} as the neighbour {address}",
        () => Ip("neigh", "show", $"{address}").Contains($"lladdr {mac}", StringComparison.Ordinal));

    /// <summary>Waits until the address answers a ping.</summary>
    public void WaitForAnswer(IPAddress address) => WaitFor($"an answer of {address}", () =>
    {
        var start = new ProcessStartInfo(
            "nsenter", [EnterOption, "ping", "-q", "-c", "1", "-W", "1", $"{address}"])
        {
            RedirectStandardOutput = true,
        };
        using Process ping = Process.Start(start)!;
        return ping.WaitForExit(TimeSpan.FromSeconds(20)) && ping.ExitCode == 0;
    });

    /// <summary>Runs the action inside the namespace and rethrows what it throws.</summary>
    public void Run(Action action)
    {
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(() =>
        {
            using SafeFileHandle file = File.OpenHandle($"/run/netns/{Name}");
            Assert.Equal(0, setns((int)file.DangerousGetHandle(), CLONE_NEWNET));
            action();
        }));
        thread.Start();
        thread.Join();
        if (thrown is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(thrown);
        }
    }

    public void Dispose() => Command.Run("ip", "netns", "delete", Name);

    /// <summary>
    /// The kernel notices a carrier up to a second later; until then it drops what is sent.
    /// </summary>
    public void WaitUntilUp(string interfaceName) => WaitFor(
        $"the carrier of {interfaceName}",
        () => Ip("-o", "link", "show", "dev", interfaceName).Contains("state UP", StringComparison.Ordinal));

    /// <summary>Waits until no IPv6 address is checked for duplicates any more.</summary>
    public void WaitUntilUsable(string interfaceName) => WaitFor(
        $"the end of duplicate address detection on {interfaceName}",
        () => !Ip("addr", "show", "dev", interfaceName).Contains("tentative", StringComparison.Ordinal));

    /// <summary>Waits until an interface has no carrier.</summary>
    public void WaitUntilDown(string interfaceName) => WaitFor(
        $"the loss of the carrier of {interfaceName}",
        () => Ip("link", "show", "dev", interfaceName).Contains("NO-CARRIER", StringComparison.Ordinal));

    private static void WaitFor(string what, Func<bool> condition)
    {
        long startTicks = Environment.TickCount64;
        while (!condition())
        {
            Assert.False(Environment.TickCount64 - startTicks > 20_000, $"waited 20 s for {what}");
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(int fd, int type);
}
