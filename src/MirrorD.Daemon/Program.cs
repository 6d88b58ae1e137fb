using System.Runtime.InteropServices;
using CommandLine;
using CommandLine.Text;
using MirrorD.Configuration;
using MirrorD.Daemon.Control;
using MirrorD.Daemon.Events;
using MirrorD.Daemon.History;
using MirrorD.Daemon.Logging;
using MirrorD.Daemon.Memory;
using MirrorD.Daemon.Startup;
using MirrorD.Formats.Peer;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.Memory;
using Microsoft.Extensions.Logging;
using NLog.Extensions.Logging;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace MirrorD.Daemon;

/// <summary>Entry point of mirrord.</summary>
internal static class Program
{
    // What is answered before a restart need not be sent again; what takes longer is.
    private static readonly TimeSpan s_suspendWait = TimeSpan.FromSeconds(3);

    private static async Task<int> Main(string[] arguments)
    {
        if (arguments is ["--version"])
        {
            Console.WriteLine($"mirrord {MirrorDaemon.Version}");
            return ExitCodes.Ok;
        }

        using var parser = new Parser(settings =>
        {
            settings.HelpWriter = null;
            settings.AutoVersion = false;
        });
        ParserResult<DaemonOptions> result = parser.ParseArguments<DaemonOptions>(arguments);
        if (result is not Parsed<DaemonOptions> { Value: { } options })
        {
            return Refuse(result);
        }

        // Starts the program anew where that is allowed: nothing was done yet.
        string? ioFlusherProblem = IoFlusher.Become();
        try
        {
            return await Run(options, ioFlusherProblem);
        }
        catch (StartupException failed)
        {
            await Console.Error.WriteLineAsync($"mirrord: {failed.Problem}; {failed.Remedy}");
            return ExitCodes.CannotStart;
        }
        finally
        {
            LogSetup.Flush();
        }
    }

    private static int Refuse(ParserResult<DaemonOptions> result)
    {
        bool isHelp = result.Errors.Any(error => error is HelpRequestedError);
        HelpText text = HelpText.AutoBuild(result, help =>
        {
            help.Heading = "mirrord: mirrors volumes between two nodes";
            help.Copyright = "";
            help.AdditionalNewLineAfterOption = false;
            help.AutoVersion = false;
            help.MaximumDisplayWidth = 100;
            return HelpText.DefaultParsingErrorsHandler(result, help);
        }, example => example);
        (isHelp ? Console.Out : Console.Error).WriteLine(text);
        return isHelp ? ExitCodes.Ok : ExitCodes.Usage;
    }

    private static async Task<int> Run(DaemonOptions options, string? ioFlusherProblem)
    {
        NodeContext context = NodeContextLoader.Load(options) with { IoFlusherProblem = ioFlusherProblem };
        using RunDirectory held = RunDirectory.Take(options.RunDirectory);
        held.NoteDeadAfter(context.Configuration.Heartbeat.DeadAfterMs);
        var logging = new NLogLoggerProvider(
            new NLogProviderOptions(), LogSetup.Begin(options.Verbose));
        using ILoggerFactory loggers = LoggerFactory.Create(builder => builder
            .AddProvider(logging)
            .SetMinimumLevel(options.Verbose ? LogLevel.Debug : LogLevel.Information));
        ILogger logger = loggers.CreateLogger("mirrord");
        await using var events = new EventLog(context.State.EventsFile, failed =>
            DaemonLog.NotStored(logger, context.State.EventsFile, failed.Message));
        await using var history = new TakeoverHistory(context.State.HistoryFile, failed =>
            DaemonLog.NotStored(logger, context.State.HistoryFile, failed.Message));
        var daemon = new MirrorDaemon(context, events, history, loggers);
        DaemonLog.Starting(
            logger, MirrorDaemon.Version, context.Name, context.Id.Value, daemon.Resources.Count,
            LoopChoice.NameOf(context.Loops.Kind));
        if (context.Loops.Refusal is { } refusal)
        {
            DaemonLog.NoUring(logger, refusal, context.Name);
        }

        foreach (string note in ConfigurationNotes.Of(context.Configuration))
        {
            DaemonLog.Note(logger, note);
        }

        var asked = new TaskCompletionSource<PosixSignal>(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnStop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            asked.TrySetResult(signal.Signal);
        }

        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnStop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnStop);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            DaemonLog.HangupIgnored(logger);
        });
        daemon.Start();
        await using ControlServer server = await ControlServer.Start(daemon, loggers);
        events.Add(null, "started", $"mirrord {MirrorDaemon.Version} started on node {context.Name}.");
        DaemonLog.Ready(logger, context.ControlSocket);
        ServiceManagerNotify.Ready();
        if (MemoryLock.LockAll() is { } unlocked)
        {
            DaemonLog.MemoryNotLocked(logger, unlocked);
        }

        PayloadSealer.Bind();
        if (ProgramPages.TakeAll() is { } unread)
        {
            DaemonLog.CodeNotRead(logger, unread);
        }

        HeapPages.TakeAll();

        PosixSignal came = await asked.Task;
        var stopped = Stopwatch.StartNew();
        StopReason? told = await ServiceManager.WhyStop();
        if (told is null)
        {
            DaemonLog.ReasonUnknown(logger);
        }

        // Taken for a restart, a stop leaves block devices that wait for the next start, and nothing is lost. Taken for a
        // stop, a restart would unmount file systems and give the role away for good.
        StopReason reason = told ?? StopReason.Restart;
        DaemonLog.Stopping(logger, came.ToString(), reason);
        ServiceManagerNotify.Stopping();
        if (reason == StopReason.Restart)
        {
            events.Add(null, "stopping", "mirrord restarts: roles and block devices stay. Service addresses go for the "
                + "moment until the next mirrord has its role again.");
            await daemon.Suspend(() => server.DisposeAsync().AsTask(), s_suspendWait);
        }
        else
        {
            events.Add(null, "stopping", "mirrord stops as asked.");
            await daemon.Stop(reason == StopReason.HostStops, StopLimits.Orderly - stopped.Elapsed);
        }

        DaemonLog.Stopped(logger);
        return ExitCodes.Ok;
    }
}
