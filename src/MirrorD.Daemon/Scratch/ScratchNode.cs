using System.Security.Cryptography;
using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Engine.Replication;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Io.Linux;

namespace MirrorD.Daemon.Scratch;

/// <summary>One node of a scratch pair, with nothing around it. On the loop's thread.</summary>
internal sealed class ScratchNode(LinuxLoop loop, NodeId id, VolumeOptions volume) : IResourceHost
{
    private const long PauseNs = 1_000_000;

    private ReplicatedResource? _engine;
    private LinkState _link;
    private Action? _joined;

    public NodeId Id => id;

    public VolumeOptions Volume => volume;

    public ReplicatedResource Engine => _engine!;

    public bool HasArbiter => false;

    /// <summary>Starts, also again after a stop.</summary>
    public void Start(ResourceOptions options)
    {
        _engine = new ReplicatedResource(loop, options, this);
        _engine.Start();
    }

    public void WhenJoined(Action joined)
    {
        _joined = joined;
        TellJoined();
    }

    /// <summary>Closes the files as soon as nothing is under way on them.</summary>
    public void WhenClosed(Action closed)
    {
        try
        {
            volume.Data.Close();
            volume.Metadata.Close();
            closed();
        }
        catch (InvalidOperationException)
        {
            loop.StartTimer(loop.NowNs + PauseNs, new IoOperation(_ => WhenClosed(closed)));
        }
    }

    public void ClaimSession(string resource, SessionId session, NodeId node, Action<ArbiterAnswer> answered) =>
        loop.Post(() => answered(ArbiterAnswer.None));

    public ulong NewIdentifier() => RandomIdentifier.New();

    public void FillRandom(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);

    public void DoElsewhere(Action work, Action done)
    {
        work();
        loop.Post(done);
    }

    public void RunHooks(HookStep step, Role role, Action<string?> ended) => loop.Post(() => ended(null));

    public void CancelHooks()
    {
    }

    public void OpenExports(Action<IReadOnlyList<string>> done) => loop.Post(() => done([]));

    public void CloseExports(Action done) => loop.Post(done);

    public void FindDeviceUsers(Action<IReadOnlyList<string>> answered) => loop.Post(() => answered([]));

    public void AddAddresses(Action<IReadOnlyList<string>> done) => loop.Post(() => done([]));

    public void RemoveAddresses(Action done) => loop.Post(done);

    public void ProbeAddresses(Action<string?> answered) => loop.Post(() => answered(null));

    public void ProbeGateway(Action<GatewayEvidence> answered) =>
        loop.Post(() => answered(GatewayEvidence.NotConfigured));

    public void StuckChanged(bool isStuck)
    {
    }

    public void RoleRecorded(RoleRecord record)
    {
    }

    public void Publish(ResourceStatus status)
    {
        _link = status.Link;
        TellJoined();
    }

    public void Raise(ResourceEvent happened)
    {
    }

    private void TellJoined()
    {
        if (_link == LinkState.Joined && _joined is { } joined)
        {
            _joined = null;
            joined();
        }
    }
}
