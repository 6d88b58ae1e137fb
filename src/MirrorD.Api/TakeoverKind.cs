namespace MirrorD.Api;

/// <summary>Values of <see cref="TakeoverRecord.Kind"/>.</summary>
public static class TakeoverKind
{
    /// <summary>The standby took over by itself.</summary>
    public const string Takeover = "takeover";

    /// <summary>An operator promoted this node.</summary>
    public const string Promotion = "promotion";

    /// <summary>The nodes changed roles.</summary>
    public const string Switchover = "switchover";

    /// <summary>This node gave its role up as planned.</summary>
    public const string Release = "release";

    /// <summary>This node lost its right to serve.</summary>
    public const string Loss = "loss";
}
