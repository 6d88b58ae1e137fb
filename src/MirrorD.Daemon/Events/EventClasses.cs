using System.Collections.Frozen;
using MirrorD.Api;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Events;

/// <summary>Which class an event is of, by its kind; docs/api.md has the same table.</summary>
internal static class EventClasses
{
    /// <summary>Kinds whose class is not <see cref="EventClass.Info"/>.</summary>
    public static FrozenDictionary<string, string> ByKind { get; } = new Dictionary<string, string>
    {
        ["path-lost"] = EventClass.Anomaly,
        ["path-restored"] = EventClass.Anomaly,
        ["peer-lost"] = EventClass.Anomaly,
        ["peer-back"] = EventClass.Anomaly,
        ["resource-stuck"] = EventClass.Anomaly,
        ["resource-unstuck"] = EventClass.Anomaly,
        ["production-lost"] = EventClass.Anomaly,
        ["device-in-use"] = EventClass.Anomaly,
        ["device-removed"] = EventClass.Anomaly,
        ["read-repaired"] = EventClass.Anomaly,
        ["peer-disk-failed"] = EventClass.Anomaly,
        ["stranger"] = EventClass.Anomaly,
        ["detached"] = EventClass.Anomaly,
        ["reverted"] = EventClass.Anomaly,
        ["split-brain-resolved"] = EventClass.Anomaly,
        ["snapshot-failed"] = EventClass.Anomaly,
        ["sync-paused"] = EventClass.Anomaly,
        ["sync-resumed"] = EventClass.Anomaly,
        ["disconnected"] = EventClass.Anomaly,
        ["connecting"] = EventClass.Anomaly,
        ["invalidated"] = EventClass.Anomaly,
        ["verify-skipped"] = EventClass.Anomaly,
        ["certificate-expires"] = EventClass.Anomaly,
        ["node-joined"] = EventClass.Anomaly,
        ["join-refused"] = EventClass.Anomaly,
        ["keys-rotated"] = EventClass.Anomaly,
        ["key-revoked"] = EventClass.Anomaly,
        ["takeover"] = EventClass.Takeover,
        ["right-lost"] = EventClass.Release,
        ["released"] = EventClass.Release,
        ["takeover-vetoed"] = EventClass.Alarm,
        ["takeover-blocked"] = EventClass.Alarm,
        ["address-conflict"] = EventClass.Alarm,
        ["address-stuck"] = EventClass.Alarm,
        ["address-failed"] = EventClass.Alarm,
        ["hook-failed"] = EventClass.Alarm,
        ["device-failed"] = EventClass.Alarm,
        ["disk-failed"] = EventClass.Alarm,
        ["resync-unreadable"] = EventClass.Alarm,
        ["verify-differs"] = EventClass.Alarm,
        ["verify-unreadable"] = EventClass.Alarm,
        ["failure-not-stored"] = EventClass.Alarm,
        ["writes-may-be-lost"] = EventClass.Alarm,
        ["writes-lost"] = EventClass.Alarm,
        ["start-failed"] = EventClass.Alarm,
        ["split-brain"] = EventClass.Alarm,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The class of a kind.</summary>
    public static string Of(string kind) => ByKind.GetValueOrDefault(kind, EventClass.Info);

    /// <summary>The level at which an event of a kind is logged.</summary>
    public static LogLevel LevelOf(string kind) => Of(kind) switch
    {
        EventClass.Alarm => LogLevel.Error,
        EventClass.Anomaly => LogLevel.Warning,
        _ => LogLevel.Information,
    };
}
