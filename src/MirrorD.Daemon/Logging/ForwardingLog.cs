using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Logging;

/// <summary>Messages about calls between nodes; ids 1700 to 1799.</summary>
internal static partial class ForwardingLog
{
    [LoggerMessage(1700, LogLevel.Warning, "calls={Endpoint} can't listen for calls of other nodes, trying again: {Cause}")]
    public static partial void CannotListen(ILogger logger, string endpoint, string cause);

    [LoggerMessage(1701, LogLevel.Debug, "a call of another node ended: {Cause}")]
    public static partial void CallFailed(ILogger logger, string cause);

    [LoggerMessage(1702, LogLevel.Warning, "from={From} is refused: {Cause}")]
    public static partial void CallRefused(ILogger logger, string from, string cause);

    [LoggerMessage(1703, LogLevel.Error, "a call of another node broke; please report this")]
    public static partial void CallBroke(ILogger logger, Exception failed);
}
