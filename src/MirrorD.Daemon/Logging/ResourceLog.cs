using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Logging;

/// <summary>What is logged of a resource; ids 1100 to 1199.</summary>
internal static partial class ResourceLog
{
    [LoggerMessage(EventId = 1100, Message = "resource={Resource} role={Role} {Kind}: {Message}")]
    public static partial void Happened(
        ILogger logger, LogLevel level, string resource, string role, string kind, string message);

    [LoggerMessage(1101, LogLevel.Error, "resource={Resource} can't start: {Problem}; {Remedy}")]
    public static partial void CannotStart(ILogger logger, string resource, string problem, string remedy);

    [LoggerMessage(1102, LogLevel.Information, "resource={Resource} {Step} hook: {Line}")]
    public static partial void HookOutput(ILogger logger, string resource, string step, string line);

    [LoggerMessage(
        1103, LogLevel.Information, "resource={Resource} nbd {Kind} client={Client} export={Export}: {Text}")]
    public static partial void NbdHappened(
        ILogger logger, string resource, string kind, string client, string export, string text);

    [LoggerMessage(
        1104, LogLevel.Warning, "resource={Resource} nbd {Kind} client={Client} export={Export}: {Text}")]
    public static partial void NbdTrouble(
        ILogger logger, string resource, string kind, string client, string export, string text);

    [LoggerMessage(1105, LogLevel.Warning, "resource={Resource} nbd {Count} further messages were left out")]
    public static partial void NbdLeftOut(ILogger logger, string resource, long count);

    [LoggerMessage(1106, LogLevel.Critical, "resource={Resource} its loop failed, mirrord ends")]
    public static partial void LoopFailed(ILogger logger, string resource, Exception failed);

    [LoggerMessage(1107, LogLevel.Error, "resource={Resource} a step of takeover or release failed")]
    public static partial void SequenceFailed(ILogger logger, string resource, Exception failed);

    [LoggerMessage(
        1108, LogLevel.Warning, "resource={Resource} did not stop within {Seconds} s, ending anyway")]
    public static partial void StopTimedOut(ILogger logger, string resource, double seconds);

    [LoggerMessage(
        1111, LogLevel.Warning,
        "resource={Resource} requests were not done within {Seconds} s; clients that wait send them again")]
    public static partial void RequestsLeft(ILogger logger, string resource, double seconds);

    [LoggerMessage(1109, LogLevel.Information, "resource={Resource} stopped: {Message}")]
    public static partial void Stopped(ILogger logger, string resource, string message);

    [LoggerMessage(
        1110, LogLevel.Warning, "resource={Resource} the address {Address} was left over and is removed")]
    public static partial void LeftoverAddress(ILogger logger, string resource, string address);
}
