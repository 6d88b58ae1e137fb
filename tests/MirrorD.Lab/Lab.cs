using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab;

/// <summary>
/// Hosts a, b, client and gateway in network namespaces on this machine: a production network (a bridge in a
/// namespace of its own) that joins them all, and a dedicated link between a and b. Needs root. Everything
/// goes at Dispose, on Ctrl-C and at the end of the process; what a killed run left behind goes when the
/// next lab is made.
/// </summary>
public sealed class Lab : IDisposable
{
    /// <summary>The service address of the tests.</summary>
    public const string ServiceAddress = "10.77.0.100";

    private static int created;
    private readonly List<LabProcess> _processes = [];
    private readonly Stack<Action> _undo = new();
    private readonly Lock _gate = new();
    private readonly FileStream _ownership;
    private readonly Lock _disposal = new();
    private bool _disposed;
    private bool _removed;

    /// <summary>Makes the hosts and networks.</summary>
    /// <exception cref="InvalidOperationException">Not root.</exception>
    public Lab()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new InvalidOperationException(
                "a lab makes network namespaces and loop devices: it needs root");
        }

        Leftovers.Remove();
        Id = $"mdl{Environment.ProcessId}x{Interlocked.Increment(ref created)}";
        Directory = Path.Combine(Leftovers.Root, Id);
        _ownership = Leftovers.Create(Directory);
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "logs"));
        LabExit.Register(this);
        ShareMounts();

        A = new Host(this, "a", "10.77.0.1", "10.78.0.1");
        B = new Host(this, "b", "10.77.0.2", "10.78.0.2");
        Client = new Host(this, "client", "10.77.0.9", null);
        Gateway = new Host(this, "gateway", "10.77.0.254", null);
        Link = new DedicatedLink(A, B);
        Production = new ProductionNetwork($"{Id}-net");
        try
        {
            MakeNetworks();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Unique on this machine; the prefix of every name that the lab makes.</summary>
    public string Id { get; }

    /// <summary>Where its files are; removed at the end.</summary>
    public string Directory { get; }

    /// <summary>First node.</summary>
    public Host A { get; }

    /// <summary>Second node.</summary>
    public Host B { get; }

    /// <summary>The machine that uses the service.</summary>
    public Host Client { get; }

    /// <summary>What both nodes have as router: it answers ARP and pings, and routes nothing.</summary>
    public Host Gateway { get; }

    /// <summary>The dedicated link between a and b.</summary>
    public DedicatedLink Link { get; }

    /// <summary>The network that all hosts share.</summary>
    public ProductionNetwork Production { get; }

    /// <summary>True once Ctrl-C or a termination signal has ended all labs of this process.</summary>
    public static bool IsInterrupted => LabExit.IsInterrupted;

    /// <summary>Every process started so far, in order.</summary>
    public IReadOnlyList<LabProcess> Processes => _processes;

    /// <summary>Starts a long-running program outside of the hosts' networks (disks, mounts).</summary>
    public LabProcess Start(string name, string program, params IReadOnlyList<string> arguments) =>
        Start(name, null, program, arguments);

    /// <summary>Makes a directory to mount something on.</summary>
    public string MountPoint(string name) =>
        System.IO.Directory.CreateDirectory(Path.Combine(Mounts, name)).FullName;

    /// <summary>Undoes every cut of both networks.</summary>
    public void MendNetworks()
    {
        Link.Mend();
        Production.Mend();
    }

    /// <summary>
    /// Nothing passes between both nodes on either network any more, and no carrier goes; both still reach every other
    /// host. Both networks end in the same instant: with time between, the node would still be asked over the other one.
    /// </summary>
    public void PartNodes()
    {
        PacketDrop.BeginAtOnce(
            A.Namespace, (Host.DedicatedInterface, null),
            (Host.ProductionInterface, B.HardwareAddress(Host.ProductionInterface)));
        Link.CutSilentlyTowards(B, includingArp: true);
        Production.Part(A, B);
    }

    /// <summary>A node loses both networks in the same instant, and no carrier.</summary>
    public void Isolate(Host node)
    {
        PacketDrop.BeginAtOnce(node.Namespace, (Host.DedicatedInterface, null), (Host.ProductionInterface, null));
        Link.CutSilentlyTowards(node == A ? B : A, includingArp: true);
        Production.CutSilentlyFrom(node, includingArp: true);
    }

    /// <summary>The ends of all logs, for the message of a failed test.</summary>
    public string Logs(int lines = 40) =>
        string.Join('\n', _processes.Select(process => process.Tail(lines)));

    /// <summary>Registers what has to be undone at the end; the last registered goes first.</summary>
    public void AtEnd(Action action)
    {
        lock (_gate)
        {
            _undo.Push(action);
        }
    }

    /// <summary>
    /// Kills every process, then undoes mounts, devices and networks. A second caller waits for the first:
    /// nobody may end the program in the middle of it.
    /// </summary>
    public void Dispose()
    {
        lock (_disposal)
        {
            if (!_removed)
            {
                Remove();
                _removed = true;
            }
        }
    }

    internal LabProcess Start(
        string name, string? networkNamespace, string program, IReadOnlyList<string> arguments)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            string log = Path.Combine(Directory, "logs", $"{name}.log");
            LabProcess process = LabProcess.Start(name, log, networkNamespace, program, arguments);
            _processes.Add(process);
            Leftovers.Record(Directory, process.Id);
            return process;
        }
    }

    private string Mounts => Path.Combine(Directory, "mounts");

    // Every program of a host, of this lab or another one, has its own copy of all mounts. What is unmounted below a
    // shared mount goes from the copies as well; else a file system would live on after its unmount.
    private void ShareMounts()
    {
        System.IO.Directory.CreateDirectory(Mounts);
        Tool.Run("mount", "--bind", "--make-shared", Mounts, Mounts).Require();
    }

    private void MakeNetworks()
    {
        Production.Make();
        foreach (Host host in (Host[])[A, B, Client, Gateway])
        {
            Tool.Run("ip", "netns", "add", host.Namespace).Require();
            Ip(host.Namespace, "link", "set", "lo", "up");
            Production.Connect(host);
        }

        Ip(A.Namespace, "link", "add", Host.DedicatedInterface, "type", "veth",
            "peer", "name", Host.DedicatedInterface, "netns", B.Namespace);
        foreach (Host host in (Host[])[A, B])
        {
            Ip(host.Namespace, "addr", "add", $"{host.DedicatedAddress}/24", "dev", Host.DedicatedInterface);
            Ip(host.Namespace, "link", "set", Host.DedicatedInterface, "up");
        }

        // The kernel passes carrier changes on at its leisure, up to a second later.
        Wait.For("the networks of the lab to work", 20, () =>
            A.Pings(B.DedicatedAddress!) && Client.Pings(A.ProductionAddress) && Client.Pings(B.ProductionAddress)
            && A.Pings(Gateway.ProductionAddress));
    }

    private void Remove()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        // Killed before anything is unmounted: requests that wait for a dead or frozen daemon end with an
        // error then.
        foreach (LabProcess process in _processes)
        {
            process.Send(Signals.Kill);
        }

        while (_undo.TryPop(out Action? action))
        {
            try
            {
                action();
            }
            catch (Exception exception)
                when (exception is ToolFailedException or IOException or TimeoutException)
            {
                // The sweep below looks at what is really there.
            }
        }

        Leftovers.RemoveAll(Directory);
        _ownership.Dispose();
        LabExit.Forget(this);
    }

    private static void Ip(string networkNamespace, params string[] words) =>
        Tool.Run("nsenter", [Host.NamespaceOption(networkNamespace), "ip", .. words]).Require();
}
