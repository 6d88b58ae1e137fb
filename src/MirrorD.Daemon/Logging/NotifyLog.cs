using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Logging;

/// <summary>What is logged of notifications; ids 1200 to 1249.</summary>
internal static partial class NotifyLog
{
    [LoggerMessage(1200, LogLevel.Warning, "notification by {What} failed: {Reason}")]
    public static partial void Failed(ILogger logger, string what, string reason);

    [LoggerMessage(1201, LogLevel.Information, "notification: {Line}")]
    public static partial void Output(ILogger logger, string line);
}
