namespace MirrorD.Api;

/// <summary>Paths of the control API, version 1.</summary>
public static class ApiPaths
{
    /// <summary>Where the daemon listens unless told otherwise.</summary>
    public const string DefaultSocket = "/run/mirrord/mirrord.sock";

    /// <summary>Name of the socket beside it that serves GET only.</summary>
    public const string ReadSocketName = "mirrord-read.sock";

    /// <summary>GET: <see cref="VersionReport"/>.</summary>
    public const string Version = "/v1/version";

    /// <summary>GET: <see cref="StatusReport"/>.</summary>
    public const string Status = "/v1/status";

    /// <summary>
    /// GET: server-sent events, each a <see cref="StatusReport"/>; one at once, then on each change.
    /// </summary>
    public const string StatusStream = "/v1/status/stream";

    /// <summary>GET, optional ?after=sequence: <see cref="EventList"/>.</summary>
    public const string Events = "/v1/events";

    /// <summary>
    /// GET, optional ?after=sequence: server-sent events, each an <see cref="EventReport"/>.
    /// </summary>
    public const string EventStream = "/v1/events/stream";

    /// <summary>GET, optional ?resource=name: <see cref="HistoryList"/>.</summary>
    public const string History = "/v1/history";

    /// <summary>GET: <see cref="LoadReport"/>.</summary>
    public const string Load = "/v1/load";

    /// <summary>GET: text for Prometheus, format 0.0.4.</summary>
    public const string Metrics = "/metrics";

    /// <summary>POST: <see cref="CommandReply"/>, once the notification went out or failed to.</summary>
    public const string NotifyTest = "/v1/notify/test";

    /// <summary>GET: <see cref="ExplainReport"/>.</summary>
    public const string Explain = "/v1/resources/{name}/explain";

    /// <summary>POST <see cref="PromoteRequest"/>: <see cref="CommandReply"/>.</summary>
    public const string Promote = "/v1/resources/{name}/promote";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string Demote = "/v1/resources/{name}/demote";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string Switchover = "/v1/resources/{name}/switchover";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string Detach = "/v1/resources/{name}/detach";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string Attach = "/v1/resources/{name}/attach";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string Discard = "/v1/resources/{name}/discard";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string OpenCopy = "/v1/resources/{name}/open-copy";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string CloseCopy = "/v1/resources/{name}/close-copy";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string Revert = "/v1/resources/{name}/revert";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string PauseSync = "/v1/resources/{name}/pause-sync";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string ResumeSync = "/v1/resources/{name}/resume-sync";

    /// <summary>POST <see cref="VerifyRequest"/>: <see cref="CommandReply"/>, once the verify has begun.</summary>
    public const string Verify = "/v1/resources/{name}/verify";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string StopVerify = "/v1/resources/{name}/stop-verify";

    /// <summary>POST <see cref="ResizeRequest"/>: <see cref="CommandReply"/>.</summary>
    public const string Resize = "/v1/resources/{name}/resize";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string ReplacePeer = "/v1/resources/{name}/replace-peer";

    /// <summary>POST: <see cref="CommandReply"/>, once the node is disconnected or stays connected.</summary>
    public const string Disconnect = "/v1/resources/{name}/disconnect";

    /// <summary>POST: <see cref="CommandReply"/>.</summary>
    public const string Connect = "/v1/resources/{name}/connect";

    /// <summary>POST: <see cref="CommandReply"/>, once it is stored that the copy does not count.</summary>
    public const string Invalidate = "/v1/resources/{name}/invalidate";

    /// <summary>GET: <see cref="KeysReport"/>.</summary>
    public const string Keys = "/v1/keys";

    /// <summary>POST: <see cref="CommandReply"/>, once all keys of all nodes are exchanged. Root only.</summary>
    public const string RotateKeys = "/v1/keys/rotate";

    /// <summary>POST: <see cref="CommandReply"/>, once this node has a new certificate. Root only.</summary>
    public const string RenewKeys = "/v1/keys/renew";

    /// <summary>
    /// POST <see cref="RevokeRequest"/>: <see cref="CommandReply"/>, once no node takes the key any more. Root only.
    /// </summary>
    public const string RevokeKey = "/v1/keys/revoke";

    /// <summary>
    /// POST <see cref="Api.KeyStep"/>: <see cref="KeyStepReply"/>. Root only; for the node that leads an exchange.
    /// </summary>
    public const string KeyStep = "/v1/keys/step";

    /// <summary>A path with its resource filled in.</summary>
    public static string For(string path, string resource) =>
        path.Replace("{name}", Uri.EscapeDataString(resource));

    /// <summary>Header that names the node that is meant; without it, the one that answers.</summary>
    public const string NodeHeader = "Mirrord-Node";

    /// <summary>Header by which a node says for whom it passes a call on; of no other caller does it count.</summary>
    public const string UserHeader = "Mirrord-User";
}
