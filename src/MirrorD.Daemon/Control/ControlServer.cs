using System.Net;
using MirrorD.Configuration;
using MirrorD.Daemon.Access;
using MirrorD.Daemon.Forwarding;
using MirrorD.Daemon.Metrics;
using MirrorD.Daemon.Security;
using MirrorD.Daemon.Startup;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Control;

/// <summary>Serves the control API on unix sockets, and to other nodes of the cluster behind TLS.</summary>
internal sealed class ControlServer : IAsyncDisposable
{
    /// <summary>What calls under way have when mirrord ends.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly WebApplication _application;
    private readonly Forwarder _forwarder;
    private readonly CallListener _calls;
    private MetricsListener? _metrics;
    private readonly CancellationTokenSource _stopping = new();
    private int _isDisposed;

    private ControlServer(WebApplication application, MirrorDaemon daemon, ILogger calls)
    {
        _application = application;
        _forwarder = new Forwarder(daemon.Context);
        _calls = new CallListener(
            daemon.Context.Security, new Joining(daemon.Context, daemon.Events),
            [.. daemon.Context.Configuration.Nodes.Values
                .SelectMany(node => node.Dedicated.Concat(node.Production)).Select(network => network.Address)],
            daemon.Context.CallSocket, calls);
    }

    /// <summary>Begins to serve.</summary>
    /// <exception cref="StartupException">The sockets can't be made.</exception>
    public static async Task<ControlServer> Start(MirrorDaemon daemon, ILoggerFactory loggers)
    {
        var sockets = new ControlSockets(daemon.Context, AccessGroups.OfThisHost);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            // Not where it was started from: appsettings files there are none of ours.
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Configuration.Sources.Clear();
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = ControlApi.MostBodyBytes;
            sockets.Listen(kestrel);
        });
        WebApplication application = builder.Build();
        var server = new ControlServer(application, daemon, loggers.CreateLogger("mirrord.calls"));
        ILogger logger = loggers.CreateLogger("mirrord.api");
        var guard = new CallGuard(server._forwarder, logger);
        new KeysApi(new KeyRotation(daemon.Context, server._forwarder, daemon.Events), guard).Map(application);
        new ControlApi(daemon, guard, server._stopping.Token).Map(application);
        sockets.RemoveLeftOvers();
        NodeConfiguration self = daemon.Context.Configuration.Nodes[daemon.Context.Name];
        server._calls.Open(self.Dedicated.Concat(self.Production));
        try
        {
            await application.StartAsync();
        }
        catch (IOException failed)
        {
            throw new StartupException(
                $"the control sockets in {daemon.Context.RunDirectory} can't be made: {failed.Message.TrimEnd('.')}",
                "check the directory");
        }

        sockets.Open();
        server._calls.Start();
        if (self.Metrics is { } metrics)
        {
            server._metrics = new MetricsListener(
                new IPEndPoint(metrics.Address, metrics.Port), daemon.Metrics, loggers.CreateLogger("mirrord.metrics"));
        }

        return server;
    }

    /// <summary>Ends it; once is enough.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _stopping.CancelAsync();
        if (_metrics is { } metrics)
        {
            await metrics.DisposeAsync();
        }

        await _calls.DisposeAsync();
        using var patience = new CancellationTokenSource(Patience);
        await _application.StopAsync(patience.Token);
        await _application.DisposeAsync();
        _forwarder.Dispose();
        _stopping.Dispose();
    }
}
