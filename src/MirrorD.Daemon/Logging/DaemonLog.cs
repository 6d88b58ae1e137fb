using Microsoft.Extensions.Logging;
using MirrorD.Daemon.Startup;

namespace MirrorD.Daemon.Logging;

/// <summary>What the daemon as a whole logs; ids 1000 to 1099.</summary>
internal static partial class DaemonLog
{
    [LoggerMessage(
        1000, LogLevel.Information, "mirrord {Version} starts node={Node} id={Id} resources={Resources} io={Io}")]
    public static partial void Starting(ILogger logger, string version, string node, Guid id, int resources, string io);

    [LoggerMessage(
        1044, LogLevel.Warning, "disks and sockets are served by epoll and threads, which takes more processor time: "
        + "{Refusal} With 'io: epoll' for node {Node} this is not told again")]
    public static partial void NoUring(ILogger logger, string refusal, string node);

    [LoggerMessage(1001, LogLevel.Information, "ready socket={Socket}")]
    public static partial void Ready(ILogger logger, string socket);

    [LoggerMessage(1002, LogLevel.Information, "stopping signal={Signal} reason={Reason}")]
    public static partial void Stopping(ILogger logger, string signal, StopReason reason);

    [LoggerMessage(
        1010, LogLevel.Warning, "systemd does not say whether mirrord restarts or stops: roles and block devices are kept "
        + "for the next mirrord. If it is to stay stopped, start it and stop it again")]
    public static partial void ReasonUnknown(ILogger logger);

    [LoggerMessage(1003, LogLevel.Information, "stopped")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(1004, LogLevel.Information, "{Note}")]
    public static partial void Note(ILogger logger, string note);

    [LoggerMessage(
        1005, LogLevel.Warning, "what happens can't be stored file={File}, it is kept in memory only: {Reason}")]
    public static partial void NotStored(ILogger logger, string file, string reason);

    [LoggerMessage(
        1006, LogLevel.Warning, "SIGHUP is ignored: restart mirrord to read the configuration again")]
    public static partial void HangupIgnored(ILogger logger);

    [LoggerMessage(EventId = 1009, Message = "{Kind}: {Message}")]
    public static partial void Happened(ILogger logger, LogLevel level, string kind, string message);

    [LoggerMessage(1008, LogLevel.Warning, "{Problem}")]
    public static partial void MemoryNotLocked(ILogger logger, string problem);

    [LoggerMessage(1018, LogLevel.Warning, "{Problem}")]
    public static partial void OrdinaryPriority(ILogger logger, string problem);

    [LoggerMessage(1043, LogLevel.Warning, "code is read in when it is needed: {Problem}; with no memory left that may take long")]
    public static partial void CodeNotRead(ILogger logger, string problem);

    [LoggerMessage(1007, LogLevel.Error, "API request failed path={Path}")]
    public static partial void RequestFailed(ILogger logger, string path, Exception failed);
}
