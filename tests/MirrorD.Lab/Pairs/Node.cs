using System.Text.Json;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Pairs;

/// <summary>
/// A host with mirrord on it, as an operator meets it: the daemon, mirrorctl and the sockets.
/// </summary>
public sealed partial class Node
{
    private readonly Lab _lab;
    private readonly ControlApi _api;
    private readonly Dictionary<string, VolatileDisk> _volatileDisks = [];
    private readonly Dictionary<string, FailingDisk> _failingDisks = [];
    private readonly Dictionary<string, CrowdedFileSystem> _crowded = [];
    private readonly Dictionary<string, string> _disks = [];
    private readonly string _notifications;
    private readonly string _arbiter;
    private string? _sharedArbiter;
    private int _starts;
    private LabProcess? _daemon;

    internal Node(Lab lab, Host host)
    {
        _lab = lab;
        Host = host;
        ConfigurationPath = Path.Combine(host.Directory, "mirrord.yaml");
        _notifications = Path.Combine(host.Directory, "notifications");
        _arbiter = Path.Combine(host.Directory, "arbiter");
        RunDirectory = Path.Combine(host.Directory, "run");
        StateDirectory = Path.Combine(host.Directory, "state");
        _api = new ControlApi(ControlSocket);
        Directory.CreateDirectory(RunDirectory);
        Directory.CreateDirectory(StateDirectory);
    }

    /// <summary>The host that it runs on.</summary>
    public Host Host { get; }

    /// <summary>a or b.</summary>
    public string Name => Host.Name;

    /// <summary>Its configuration.</summary>
    public string ConfigurationPath { get; }

    /// <summary>Where the sockets are.</summary>
    public string RunDirectory { get; }

    /// <summary>Node id, keys, events.</summary>
    public string StateDirectory { get; }

    /// <summary>The daemon that was started last.</summary>
    public LabProcess Daemon =>
        _daemon ?? throw new InvalidOperationException($"mirrord was never started on {Name}");

    /// <summary>The control socket.</summary>
    public string ControlSocket => Path.Combine(RunDirectory, "mirrord.sock");

    /// <summary>The NBD socket of a volume.</summary>
    public string Export(string volume = "data", string resource = Pair.ResourceName) =>
        Path.Combine(RunDirectory, resource, $"{volume}.nbd");

    /// <summary>The file or block device that a volume lies on.</summary>
    public string Disk(string volume = "data") =>
        _volatileDisks.TryGetValue(volume, out VolatileDisk? disk) ? disk.DevicePath : _disks[volume];

    /// <summary>The disk of a volume that fails when told to.</summary>
    public FailingDisk FailingDisk(string volume = "data") => _failingDisks[volume];

    /// <summary>The file system on which the file of a volume lies.</summary>
    public CrowdedFileSystem FileSystem(string volume = "data") => _crowded[volume];

    /// <summary>Starts the daemon.</summary>
    public void Start()
    {
        _starts++;
        _daemon = Host.Start(
            $"mirrord-{_starts}", Program("mirrord"), "--config", ConfigurationPath, "--node", Name,
            "--state-dir", StateDirectory, "--run-dir", RunDirectory);
    }

    /// <summary>Starts the daemon and waits until it answers.</summary>
    public void StartAndWait()
    {
        Start();
        Wait.For($"mirrord on {Name} to answer", 20, () => IsAnswering(), () => Daemon.Tail());
    }

    /// <summary>Runs mirrorctl against this node's daemon.</summary>
    public ToolResult Control(params IReadOnlyList<string> words) =>
        Host.Run(Program("mirrorctl"), ["--socket", ControlSocket, .. words]);

    /// <summary>Runs mirrorctl for what needs no daemon.</summary>
    public ToolResult Offline(params IReadOnlyList<string> words) => Host.Run(Program("mirrorctl"), words);

    /// <summary>A resource as this node's daemon sees it.</summary>
    /// <exception cref="HttpRequestException">The daemon does not answer.</exception>
    public ResourceView Status(string resource = Pair.ResourceName)
    {
        using JsonDocument document = JsonDocument.Parse(_api.Get("/v1/status"));
        return new ResourceView(document.RootElement.GetProperty("resources").EnumerateArray()
            .Single(one => one.GetProperty("name").GetString() == resource).Clone());
    }

    /// <summary>What the control API answers to a GET.</summary>
    /// <exception cref="HttpRequestException">The daemon does not answer.</exception>
    public string Get(string path) => _api.Get(path);

    /// <summary>As <see cref="Status"/>; null when the daemon does not answer.</summary>
    public ResourceView? TryStatus()
    {
        try
        {
            return Status();
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Waits for a state of the resource on this node.</summary>
    public void WaitFor(string description, double seconds, Func<ResourceView, bool> condition)
    {
        ResourceView? last = null;
        Wait.For(
            $"{Name}: {description}", seconds,
            () =>
            {
                if (!Daemon.IsRunning)
                {
                    throw new InvalidOperationException($"mirrord on {Name} is not running\n{Daemon.Tail()}");
                }

                last = TryStatus();
                return last is not null && condition(last);
            },
            () => $"{Name} shows: {last?.ToString() ?? "no answer"}\n{_lab.Logs()}");
    }

    /// <summary>
    /// Power cut of the host: the daemon is gone in the middle of what it does, and its volatile disks lose
    /// what was not flushed.
    /// </summary>
    public void CutPower()
    {
        // Stopped first: on a real power cut no program sees its disks fail.
        Daemon.Send(Signals.Stop);
        foreach (VolatileDisk disk in _volatileDisks.Values)
        {
            disk.CutPower();
        }

        Daemon.Kill();
        Host.Boot();
    }

    /// <summary>
    /// Brings the disks back after <see cref="CutPower"/>; the configuration names them by a link.
    /// </summary>
    public void RestorePower()
    {
        foreach ((string volume, VolatileDisk disk) in _volatileDisks)
        {
            disk.Restore();
            Link(volume, disk.DevicePath);
        }
    }

    internal string AddDisk(string volume, PairOptions options)
    {
        if (options.Disks == DiskKind.Volatile)
        {
            var disk = new VolatileDisk(_lab, $"{Name}-{volume}", options.DiskBytes, options.EvictPercent);
            _volatileDisks.Add(volume, disk);
            return Link(volume, disk.DevicePath);
        }

        if (options.Disks == DiskKind.Failing)
        {
            int slowMs = options.SlowWrites is { } slow && slow.Node == Name ? slow.Milliseconds : 0;
            var failing = new FailingDisk(_lab, $"{Name}-{volume}", options.DiskBytes, options.DiskError, slowMs);
            _failingDisks.Add(volume, failing);
            _disks.Add(volume, failing.DevicePath);
            return failing.DevicePath;
        }

        if (options.Disks is DiskKind.Crowded or DiskKind.Shared)
        {
            var crowded = new CrowdedFileSystem(
                _lab, $"{Name}-{volume}", options.DiskBytes, options.Disks == DiskKind.Shared ? "xfs" : "ext4");
            _crowded.Add(volume, crowded);
            _disks.Add(volume, crowded.FilePath);
            return crowded.FilePath;
        }

        string filePath = Path.Combine(Host.Directory, $"{volume}.img");
        string file = options.Disks == DiskKind.Sparse
            ? BackingFile.CreateSparse(filePath, options.DiskBytes)
            : BackingFile.Create(filePath, options.DiskBytes);
        string path = options.Disks == DiskKind.Loop ? LoopDevice.Attach(_lab, file).Path : file;
        _disks.Add(volume, path);
        return path;
    }

    private static string Program(string name) => InRepository(Path.Combine("out", name));

    private static string InRepository(string path)
    {
        // tests/<project>/bin/Release/net10.0/ below the root of the repository.
        for (string? at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            string candidate = Path.Combine(at, path);
            if (File.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new FileNotFoundException($"{path} is not there: run 'make build'");
    }

    // A device's number changes over a power cut; the link to it is what the configuration names.
    private string Link(string volume, string device)
    {
        string link = Path.Combine(Host.Directory, $"{volume}.dev");
        File.Delete(link);
        File.CreateSymbolicLink(link, device);
        return link;
    }

    private bool IsAnswering() =>
        Daemon.IsRunning
            ? TryStatus() is not null
            : throw new InvalidOperationException($"mirrord on {Name} ended\n{Daemon.Tail()}");
}
