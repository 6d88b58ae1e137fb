namespace MirrorD.Api;

/// <summary>Values of <see cref="PathReport.State"/>.</summary>
public static class PathState
{
    /// <summary>Both nodes hear each other.</summary>
    public const string Up = "Up";

    /// <summary>This node hears the other one, which does not hear this one.</summary>
    public const string HeardOnly = "HeardOnly";

    /// <summary>Nothing was heard for the time after which a path is lost.</summary>
    public const string Lost = "Lost";

    /// <summary>Not known yet: this daemon has just started.</summary>
    public const string Unknown = "Unknown";
}
