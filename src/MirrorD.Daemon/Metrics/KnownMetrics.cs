namespace MirrorD.Daemon.Metrics;

/// <summary>Every metric that there is (docs/operating/monitoring.md).</summary>
internal static class KnownMetrics
{
    public static readonly Metric Build = new("mirrord_build_info", "gauge",
        "The node and the version of its daemon; always 1.");
    public static readonly Metric Start = new("mirrord_start_time_seconds", "gauge",
        "When the daemon started, in seconds since 1970.");
    public static readonly Metric AllocatedBytes = new("mirrord_allocated_bytes_total", "counter",
        "Bytes that the daemon has taken from its managed heap; requests take none.");
    public static readonly Metric Collections = new("mirrord_gc_collections_total", "counter",
        "Collections of the managed heap, each in its generation and in all younger ones.");
    public static readonly Metric PathUp = new("mirrord_path_up", "gauge",
        "1 when both nodes hear each other on this network.");
    public static readonly Metric PathHeard = new("mirrord_path_last_heard_seconds", "gauge",
        "Time since the last heartbeat on this network.");
    public static readonly Metric Health = new("mirrord_resource_health", "gauge",
        "1 for the state that the resource is in.");
    public static readonly Metric Role = new("mirrord_resource_role", "gauge", "1 for the role of this node.");
    public static readonly Metric Disk = new("mirrord_resource_disk_state", "gauge", "1 for the state of this node's copy.");
    public static readonly Metric PeerDisk = new("mirrord_resource_peer_disk_state", "gauge",
        "1 for the state of the other node's copy as last known.");
    public static readonly Metric Link = new("mirrord_resource_link_state", "gauge", "1 for the state of the link.");
    public static readonly Metric Frozen = new("mirrord_resource_frozen", "gauge",
        "1 while requests are held for want of a decision.");
    public static readonly Metric Held = new("mirrord_resource_held_requests", "gauge",
        "Requests that are held, neither failed nor completed.");
    public static readonly Metric AtRisk = new("mirrord_resource_at_risk_bytes", "gauge",
        "Bytes of writes, answered and not flushed, that the other node has not completed.");
    public static readonly Metric Behind = new("mirrord_resource_behind_seconds", "gauge",
        "Time since the oldest of them was answered.");
    public static readonly Metric ResyncLeft = new("mirrord_resource_resync_remaining_bytes", "gauge",
        "Bytes that the running resync has still to confirm; 0 without one.");
    public static readonly Metric ResyncRate = new("mirrord_resource_resync_bytes_per_second", "gauge",
        "Rate of the running resync.");
    public static readonly Metric ResyncEta = new("mirrord_resource_resync_left_seconds", "gauge",
        "Time that the running resync needs at this rate; absent while that is not known.");
    public static readonly Metric Promotions = new("mirrord_resource_promotions_total", "counter",
        "Promotions of the resource on either node since it was made.");
    public static readonly Metric RoleChanges = new("mirrord_resource_role_changes_total", "counter",
        "Takeovers, promotions, switchovers, releases and losses on this node since its daemon started.");
    public static readonly Metric Repaired = new("mirrord_resource_repaired_reads_total", "counter",
        "Ranges that this node's disks could not read, and that were written again from the other copy.");
    public static readonly Metric Size = new("mirrord_volume_size_bytes", "gauge", "Size of the volume.");
    public static readonly Metric OutOfSync = new("mirrord_volume_out_of_sync_bytes", "gauge",
        "Bytes that the other node may not have.");
    public static readonly Metric InWork = new("mirrord_volume_requests_in_work", "gauge",
        "Requests that are in work at this moment.");
    public static readonly Metric Requests = new("mirrord_volume_requests_total", "counter",
        "Completed requests, pieces of 128 KiB of large ones each for itself.");
    public static readonly Metric ReadBytes = new("mirrord_volume_read_bytes_total", "counter", "Bytes read.");
    public static readonly Metric WrittenBytes = new("mirrord_volume_written_bytes_total", "counter",
        "Bytes written; zeroes and discards have none.");
    public static readonly Metric Total = new("mirrord_volume_request_duration_seconds", "histogram",
        "Time of a client's request from received until the socket has taken the answer.");
    public static readonly Metric Stage = new("mirrord_volume_request_stage_duration_seconds", "histogram",
        "Time that requests spend in a stage.");

    /// <summary>All of them in the order in which they are written.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        Build, Start, AllocatedBytes, Collections, PathUp, PathHeard, Health, Role, Disk, PeerDisk, Link, Frozen, Held, AtRisk,
        Behind, ResyncLeft, ResyncRate, ResyncEta, Promotions, RoleChanges, Repaired, Size, OutOfSync, InWork, Requests, ReadBytes, WrittenBytes,
        Total, Stage,
    ];
}
