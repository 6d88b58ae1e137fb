using NLog;
using NLog.Config;
using NLog.Layouts;
using NLog.Targets;

namespace MirrorD.Daemon.Logging;

/// <summary>Logs to standard error; under systemd in the form that the journal takes levels from.</summary>
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

    public static LoggingConfiguration Configuration(bool verbose)
    {
        bool isJournal = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null;
        var target = new ConsoleTarget("stderr")
        {
            StdErr = true,
            Layout = Layout.FromString(isJournal ? JournalLayout : PlainLayout),
        };
        var configuration = new LoggingConfiguration();
        LogLevel own = verbose ? LogLevel.Debug : LogLevel.Info;
        configuration.AddRule(own, LogLevel.Fatal, target, "mirrord*", final: true);
        configuration.AddRule(LogLevel.Warn, LogLevel.Fatal, target);
        return configuration;
    }
}
