using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Logging;

/// <summary>Messages about the port of the metrics; ids 1800 to 1849.</summary>
internal static partial class MetricsLog
{
    [LoggerMessage(1800, LogLevel.Warning, "metrics={Endpoint} can't listen, trying again: {Cause}")]
    public static partial void CannotListen(ILogger logger, string endpoint, string cause);

    [LoggerMessage(1801, LogLevel.Error, "an answer with metrics failed; please report this")]
    public static partial void Failed(ILogger logger, Exception failed);
}
