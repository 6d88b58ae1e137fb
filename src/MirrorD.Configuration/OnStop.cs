namespace MirrorD.Configuration;

/// <summary>What a Primary does when its daemon is stopped as planned.</summary>
public enum OnStop
{
    /// <summary>Releases the resource; the standby waits.</summary>
    Stop,
    /// <summary>Hands the resource over to a joined standby first.</summary>
    Switchover,
}
