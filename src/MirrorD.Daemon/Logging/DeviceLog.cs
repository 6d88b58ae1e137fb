using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Logging;

/// <summary>What is logged of block devices; ids 1500 to 1599.</summary>
internal static partial class DeviceLog
{
    [LoggerMessage(1500, LogLevel.Warning, "{Warning}")]
    public static partial void Warning(ILogger logger, string warning);

    [LoggerMessage(1501, LogLevel.Warning,
        "{Device} has no link {Link}: the udev rule of mirrord is missing or did not run.")]
    public static partial void NoLink(ILogger logger, string device, string link);

    [LoggerMessage(1503, LogLevel.Debug, "the scratch volume was used for {Milliseconds:0} ms")]
    public static partial void ScratchDone(ILogger logger, double milliseconds);

    [LoggerMessage(
        1504, LogLevel.Warning,
        "the scratch volume could not be used: {Problem}; the first requests of a block device may be slow")]
    public static partial void ScratchFailed(ILogger logger, string problem);

    [LoggerMessage(1502, LogLevel.Information, "resources={Resources} have exports only, no block devices: {Cause}")]
    public static partial void NoDriver(ILogger logger, string resources, string cause);
}
