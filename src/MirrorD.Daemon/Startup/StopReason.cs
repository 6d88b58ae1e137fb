namespace MirrorD.Daemon.Startup;

/// <summary>Why the daemon is asked to end.</summary>
internal enum StopReason
{
    /// <summary>The service is stopped, or a signal came by hand.</summary>
    Stop,
    /// <summary>The service manager starts it again at once.</summary>
    Restart,
    /// <summary>The host shuts down or reboots.</summary>
    HostStops,
}
