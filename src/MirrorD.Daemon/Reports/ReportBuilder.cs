using MirrorD.Api;
using MirrorD.Configuration;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Reports;

/// <summary>Turns the engine's picture of a resource into what the API shows.</summary>
internal static class ReportBuilder
{
    /// <summary>A resource that runs.</summary>
    /// <param name="status">The engine's latest picture.</param>
    /// <param name="addresses">Its service addresses, and whether they are held.</param>
    /// <param name="exportSocket">Socket of a volume's export; null while closed.</param>
    /// <param name="copySocket">Socket at which a volume's copy can be read; null while it can't.</param>
    /// <param name="blockDevice">Path of a volume's block device; null while it is not there.</param>
    /// <param name="nowNs">Loop time now.</param>
    /// <param name="now">The same moment.</param>
    public static ResourceReport Of(
        ResourceStatus status, IReadOnlyList<AddressReport> addresses, Func<string, string?> exportSocket,
        Func<string, string?> copySocket, Func<string, string?> blockDevice,
        long nowNs, DateTimeOffset now)
    {
        DateTimeOffset At(long ns) => now - TimeSpan.FromTicks((nowNs - ns) / TimeSpan.NanosecondsPerTick);
        return new ResourceReport
        {
            Name = status.Name,
            Health = Health(status),
            Role = status.Role.ToString(),
            DiskState = status.DiskState.ToString(),
            Link = status.Link.ToString(),
            Peer = status.PeerName,
            PeerRole = status.PeerRole?.ToString(),
            PeerDiskState = status.PeerDiskState?.ToString(),
            Session = status.Session.IsNone ? null : status.Session.ToString(),
            Generation = status.Generation.IsNone ? null : status.Generation.ToString(),
            Promotions = status.Promotions,
            Proof = status.Proof.ToString(),
            HandshakeCase = status.HandshakeCase,
            HeldRequests = status.HeldRequests,
            RepairedReads = status.RepairedReads,
            SnapshotTakenAt = status.SnapshotTakenAt,
            Mode = status.Mode.InWords(),
            AheadBytes = status.AheadBytes,
            AheadMs = status.AheadSinceNs is { } since ? Math.Max(0, (nowNs - since) / 1_000_000) : null,
            Step = status.Step?.Name,
            Resync = status.Resync is not { } resync ? null : new ResyncReport
            {
                TotalBytes = resync.TotalBytes,
                RemainingBytes = resync.RemainingBytes,
                SentBytes = resync.SentBytes,
                EqualBytes = resync.EqualBytes,
                BytesPerSecond = resync.RateBytesPerSecond,
                SecondsLeft = resync.SecondsLeft,
                StartedAt = At(resync.StartedNs),
            },
            HoldUp = status.HoldUp is not { } holdUp ? null : new HoldUpReport
            {
                State = holdUp.State,
                Reason = holdUp.Reason,
                Owner = holdUp.Owner,
                Remedy = holdUp.Remedy,
                Since = At(holdUp.SinceNs),
            },
            Volumes =
            [
                .. status.Volumes.Select(volume => new VolumeReport
                {
                    Name = volume.Name,
                    Device = volume.Device,
                    LengthBytes = volume.LengthBytes,
                    DirtyBytes = volume.DirtyBytes,
                    Reads = volume.Reads,
                    Writes = volume.Writes,
                    ExportSocket = exportSocket(volume.Name),
                    CopySocket = copySocket(volume.Name),
                    BlockDevice = blockDevice(volume.Name),
                }),
            ],
            Addresses = addresses,
        };
    }

    /// <summary>How a change of role went.</summary>
    /// <param name="record">Made by the engine.</param>
    /// <param name="resource">Name of the resource.</param>
    /// <param name="node">Name of this node.</param>
    /// <param name="nowNs">Loop time now.</param>
    /// <param name="now">The same moment.</param>
    public static TakeoverRecord Record(
        RoleRecord record, string resource, string node, long nowNs, DateTimeOffset now)
    {
        const long nsPerMs = 1_000_000;
        long startNs = record.Phases.Count > 0 ? record.Phases.Min(phase => phase.StartNs) : nowNs;
        return new TakeoverRecord
        {
            At = now - TimeSpan.FromTicks((nowNs - startNs) / TimeSpan.NanosecondsPerTick),
            Resource = resource,
            Node = node,
            Kind = record.Kind switch
            {
                RoleRecordKind.Takeover => TakeoverKind.Takeover,
                RoleRecordKind.Promotion => TakeoverKind.Promotion,
                RoleRecordKind.Switchover => TakeoverKind.Switchover,
                RoleRecordKind.Release => TakeoverKind.Release,
                RoleRecordKind.Loss => TakeoverKind.Loss,
            },
            Reason = record.Reason,
            Succeeded = record.Succeeded,
            Phases =
            [
                .. record.Phases.Select(phase => new TakeoverPhase
                {
                    Name = phase.Name,
                    StartMs = (phase.StartNs - startNs) / nsPerMs,
                    TookMs = phase.TookNs / nsPerMs,
                }),
            ],
            TotalMs = (nowNs - startNs) / nsPerMs,
        };
    }

    /// <summary>A resource that could not start, or not yet.</summary>
    public static ResourceReport Failed(
        ResourceConfiguration resource, string node, IReadOnlyList<AddressReport> addresses, string state,
        string problem, string remedy, DateTimeOffset since) => new()
        {
            Name = resource.Name,
            Health = ResourceHealth.Failed,
            Role = nameof(Role.Standby),
            DiskState = nameof(DiskState.Diskless),
            Link = nameof(LinkState.Disconnected),
            Peer = resource.PeerOf(node),
            Proof = nameof(ProofKind.None),
            Mode = Modes.Of(resource.Replication.Mode).InWords(),
            Autoswitch = resource.Autoswitch,
            AutoswitchNote = resource.AutoswitchOffReason,
            HoldUp = new HoldUpReport
            {
                State = state,
                Reason = problem,
                Owner = "operator",
                Remedy = remedy,
                Since = since,
            },
            Volumes = [],
            Addresses = addresses,
        };

    /// <summary>The state of a resource in one line.</summary>
    public static string InWords(ResourceReport report) =>
        $"{report.Name} is {report.Health}: {report.Role}, copy {report.DiskState}, link to {report.Peer} " +
        report.Link + (report.HoldUp is { } holdUp ? $", {holdUp.State}" : "");

    private static string Health(ResourceStatus status)
    {
        if (status is { HoldUp.State: "Diskless", Role: Role.Primary } or { HoldUp.State: "SyncPaused" or "Disconnected" })
        {
            return ResourceHealth.Degraded;
        }

        if (status.DiskState is DiskState.Failed or DiskState.Diskless)
        {
            return ResourceHealth.Failed;
        }

        if (status.HoldUp is not null)
        {
            return ResourceHealth.HeldUp;
        }

        if (status.Link is LinkState.SyncSource or LinkState.SyncTarget)
        {
            return ResourceHealth.Syncing;
        }

        bool isMirrored = status.Link == LinkState.Joined
            && status.DiskState == DiskState.UpToDate && status.PeerDiskState == DiskState.UpToDate;
        return isMirrored ? ResourceHealth.Ok : ResourceHealth.Degraded;
    }
}
