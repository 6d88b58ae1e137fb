using System.Security.Cryptography.X509Certificates;
using MirrorD.Configuration.Identity;
using MirrorD.Daemon.Security;
using MirrorD.Engine.Control;
using MirrorD.Engine.Metadata;
using MirrorD.Engine.Nbd;
using MirrorD.Engine.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Scratch;

/// <summary>Two nodes of one resource on one loop, over files, joined by a unix socket.</summary>
internal sealed class ScratchPair : IDisposable
{
    /// <summary>Limit of each wait, in milliseconds.</summary>
    public const int LimitMs = 60_000;

    private const long DataBytes = 2 << 20;
    private const int Slots = 16;

    private readonly LinuxLoop _loop;
    private readonly Thread _thread;
    private readonly UnixEndpoint _link;
    private readonly string _directory;
    private readonly ClusterAuthority _authority = ClusterAuthority.Create(DateTimeOffset.UtcNow);
    private readonly ScratchNode _a;
    private readonly ScratchNode _b;
    private readonly List<LinuxDisk> _disks = [];
    private NbdServer? _server;
    private Exception? _failure;

    /// <summary>Makes the files and starts the loop; leaves neither when it fails.</summary>
    public ScratchPair(string directory, LoopFactory loops)
    {
        _loop = loops.Create();
        _directory = directory;
        _link = new UnixEndpoint(Path.Combine(directory, "link"));
        _thread = new Thread(RunLoop) { IsBackground = true, Name = "scratch" };
        _thread.Start();
        try
        {
            _a = Make("a");
            _b = Make("b");
        }
        catch
        {
            EndLoop();
            _disks.ForEach(Close);
            throw;
        }
    }

    public void StartA() => OnLoop(() => _a.Start(Options("a", "b", _a)));

    public void StartB() => OnLoop(() => _b.Start(Options("b", "a", _b)));

    /// <summary>The second node stops as planned: the first one goes on alone.</summary>
    public void StopB() => Wait("the standby's stop", done =>
        _b.Engine.Command(new ResourceCommand.Stop(), _ => done()));

    public void WaitJoined() => Wait("the join", done => _a.WhenJoined(done));

    /// <summary>A command at the first node.</summary>
    public void Do(ResourceCommand command)
    {
        CommandOutcome? answer = null;
        Wait($"the answer to {command}", done => _a.Engine.Command(command, outcome =>
        {
            answer = outcome;
            done();
        }));
        if (!answer!.Succeeded)
        {
            throw new IOException($"on the scratch volume {command} is refused: {answer.Message}");
        }
    }

    /// <summary>Serves the first node's volume to a client without handshake.</summary>
    public StreamPair Serve()
    {
        StreamPair pair = StreamPair.Open();
        OnLoop(() =>
        {
            _server = new NbdServer(
                _loop, new UnixEndpoint(Path.Combine(_directory, "nbd")), [_a.Engine.Frontend(0)],
                new NbdServerOptions(), _ => { });
            _server.Adopt(_loop.Adopt(pair.DaemonEnd, "scratch"), () => { });
        });
        return pair;
    }

    public void Dispose()
    {
        try
        {
            if (_failure is null)
            {
                Wait("the end of the server", done =>
                {
                    if (_server is { } server)
                    {
                        server.Stop("the end", done);
                    }
                    else
                    {
                        done();
                    }
                });
                StopB();
                Wait("the primary's stop", done => _a.Engine.Command(new ResourceCommand.Stop(), _ => done()));
                Wait("the end of what is under way", _a.WhenClosed);
                Wait("the end of what is under way", _b.WhenClosed);
            }
        }
        finally
        {
            EndLoop();
        }
    }

    /// <summary>With something under way, after a wait in vain, it stays open.</summary>
    private static void Close(LinuxDisk disk)
    {
        try
        {
            disk.Close();
        }
        catch (InvalidOperationException)
        {
        }
    }

    private void EndLoop()
    {
        _loop.Stop();
        _thread.Join(LimitMs);
    }

    private ScratchNode Make(string node)
    {
        long metadataBytes = new MetadataLayout(DataBytes).TotalBytes;
        LinuxDisk Create(string name, long lengthBytes)
        {
            string path = Path.Combine(_directory, name);
            LinuxDisk.CreateFile(path, lengthBytes);
            LinuxDisk disk = LinuxDisk.Open(path, isWritable: true, isExclusive: true);
            _disks.Add(disk);
            return disk;
        }

        var volume = new VolumeOptions(
            "data", Create($"{node}-data", DataBytes), Create($"{node}-metadata", metadataBytes), 0, metadataBytes);
        var id = new NodeId(Guid.NewGuid());
        Superblock initial = VolumeFormatter.Initial(
            "scratch", "data", 0, id, DataBytes, CreationSource.Empty, new Generation(1));
        Wait("the metadata", done => VolumeFormatter.Format(_loop, volume, initial, false, error =>
        {
            if (error == 0)
            {
                done();
            }
        }));
        return new ScratchNode(_loop, id, volume);
    }

    private ResourceOptions Options(string name, string peer, ScratchNode node) => new()
    {
        Name = "scratch",
        NodeName = name,
        Node = node.Id,
        Boot = new BootId(Guid.NewGuid()),
        PeerName = peer,
        Volumes = [node.Volume],
        Listen = _link,
        Connect = _link,
        Security = new TlsLinkSecurity(Identity(name, node.Id), _loop, peer),
        Encrypts = true,
        LinkTimeoutMs = LimitMs,
        BufferSlots = Slots,
    };

    /// <summary>A certificate that lives as long as the pair: what is compiled is what a real link uses.</summary>
    private NodeSecurity Identity(string name, NodeId id) => new(
        NodeIdentity.Create(_authority, name, id.Value, DateTimeOffset.UtcNow, TimeSpan.FromDays(1)),
        new ClusterTrust(
            new X509Certificate2Collection(_authority.Certificate), new HashSet<string>(), new Dictionary<string, string>()));

    private void OnLoop(Action action) => Wait("the loop", done =>
    {
        action();
        done();
    });

    /// <summary>Begins something on the loop and waits until it calls back.</summary>
    private void Wait(string what, Action<Action> begin)
    {
        // Not disposed: what calls back after the limit must find it.
        var done = new ManualResetEventSlim();
        _loop.Post(() => begin(done.Set));
        if (!done.Wait(LimitMs))
        {
            throw new TimeoutException(
                $"the scratch volume waited {LimitMs / 1000} s in vain for {what} {_failure?.Message}");
        }
    }

    private void RunLoop()
    {
        try
        {
            _loop.Run();
            _loop.Dispose();
        }
        catch (Exception failed)
        {
            _failure = failed;
        }
    }
}
