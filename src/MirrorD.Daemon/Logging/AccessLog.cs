using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Logging;

/// <summary>Who changes something through the control API; ids 1600 to 1699.</summary>
internal static partial class AccessLog
{
    [LoggerMessage(1600, LogLevel.Information, "user={Caller} call=\"{Call}\" result={Result}")]
    public static partial void Called(ILogger logger, string caller, string call, int result);

    [LoggerMessage(1601, LogLevel.Information, "user={Caller} call=\"{Call}\" on={Node} result={Result}")]
    public static partial void PassedOn(ILogger logger, string caller, string call, string node, int result);
}
