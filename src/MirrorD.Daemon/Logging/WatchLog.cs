using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Logging;

/// <summary>What is logged of the watch over the other nodes; ids 1300 to 1399.</summary>
internal static partial class WatchLog
{
    [LoggerMessage(EventId = 1300, Message = "watch {Kind}: {Text}")]
    public static partial void Happened(ILogger logger, LogLevel level, string kind, string text);

    [LoggerMessage(
        1301, LogLevel.Warning, "peer={Peer} is not watched: no network of both nodes fits that of the other")]
    public static partial void NoPath(ILogger logger, string peer);

    [LoggerMessage(1302, LogLevel.Critical, "the watch broke a rule of the program, mirrord ends")]
    public static partial void LoopFailed(ILogger logger, Exception failed);

    [LoggerMessage(1303, LogLevel.Warning, "the watch did not end within {Milliseconds} ms, ignoring")]
    public static partial void StopTimedOut(ILogger logger, int milliseconds);
}
