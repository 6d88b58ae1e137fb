using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Logging;

/// <summary>Messages about calls between nodes.</summary>
internal static partial class ForwardingLog
{
    [LoggerMessage(1300, LogLevel.Warning, "calls={Endpoint} can't listen for calls of other nodes, trying again: {Cause}")]
    public static partial void CannotListen(ILogger logger, string endpoint, string cause);

    [LoggerMessage(1301, LogLevel.Debug, "a call of another node ended: {Cause}")]
    public static partial void CallFailed(ILogger logger, string cause);
}
