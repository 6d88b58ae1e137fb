using NLog;
using NLog.Config;
using NLog.Layouts;
using NLog.Targets;
using NLog.Targets.Wrappers;

namespace MirrorD.Daemon.Logging;

/// <summary>
/// Logs to standard error; under systemd in the form that the journal takes levels from. Whoever logs does not wait for the
/// reader: a journal that stalls must stop no loop. When the queue is full its oldest lines are lost.
/// </summary>
internal static class LogSetup
{
    // sd-daemon(3): a line that begins with <N> has the priority N. The journal adds the time itself.
    private const string JournalLayout =
        "${when:when=level==LogLevel.Fatal:inner=<2>}${when:when=level==LogLevel.Error:inner=<3>}" +
        "${when:when=level==LogLevel.Warn:inner=<4>}${when:when=level==LogLevel.Info:inner=<6>}" +
        "${when:when=level<=LogLevel.Debug:inner=<7>}${message}${onexception:inner= " +
        "${exception:format=toString}}";

    private const string PlainLayout =
        "${date:format=yyyy-MM-dd HH\\:mm\\:ss.fff} ${pad:padding=-5:inner=${level:uppercase=true}} " +
        "${message}" +
        "${onexception:inner= ${exception:format=toString}}";

    // A few MiB, and more than is ever logged in a minute.
    private const int QueuedLines = 10_000;

    private static readonly TimeSpan s_flushWait = TimeSpan.FromSeconds(1);

    private static volatile LogFactory? s_factory;

    /// <summary>Makes the log of this process.</summary>
    public static LogFactory Begin(bool verbose) =>
        s_factory = new LogFactory { Configuration = Configuration(verbose) };

    /// <summary>The process is about to end: what was logged is written, unless that takes long.</summary>
    public static void Flush() => s_factory?.Flush(s_flushWait);

    private static LoggingConfiguration Configuration(bool verbose)
    {
        bool isJournal = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null;
        var target = new ConsoleTarget("stderr")
        {
            StdErr = true,
            Layout = Layout.FromString(isJournal ? JournalLayout : PlainLayout),
        };
        var configuration = new LoggingConfiguration();
        LogLevel own = verbose ? LogLevel.Debug : LogLevel.Info;
        var queue = new AsyncTargetWrapper("queue", target)
        {
            QueueLimit = QueuedLines,
            OverflowAction = AsyncTargetWrapperOverflowAction.Discard,
        };
        configuration.AddRule(own, LogLevel.Fatal, queue, "mirrord*", final: true);
        configuration.AddRule(LogLevel.Warn, LogLevel.Fatal, queue);
        return configuration;
    }
}
