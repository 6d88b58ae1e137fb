namespace MirrorD.Api;

/// <summary>Values of <see cref="EventReport.Class"/>; all but <see cref="Info"/> are notified.</summary>
public static class EventClass
{
    /// <summary>To be read when somebody wants to know.</summary>
    public const string Info = "info";

    /// <summary>Something is not as it should be, or is again; service goes on.</summary>
    public const string Anomaly = "anomaly";

    /// <summary>This node took a resource over.</summary>
    public const string Takeover = "takeover";

    /// <summary>This node gave a resource up.</summary>
    public const string Release = "release";

    /// <summary>Somebody has to act.</summary>
    public const string Alarm = "alarm";
}
