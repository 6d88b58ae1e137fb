using MirrorD.Daemon.Startup;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Control;

/// <summary>Serves the control API on a unix socket.</summary>
internal sealed class ControlServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly CancellationTokenSource _stopping = new();

    private ControlServer(WebApplication application) => _application = application;

    /// <summary>Begins to serve.</summary>
    /// <exception cref="StartupException">The socket can't be made.</exception>
    public static async Task<ControlServer> Start(MirrorDaemon daemon, ILoggerFactory loggers)
    {
        string socket = daemon.Context.ControlSocket;
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
            kestrel.Limits.MaxConcurrentConnections = 200;
            kestrel.ListenUnixSocket(socket);
        });
        WebApplication application = builder.Build();
        var server = new ControlServer(application);
        new ControlApi(daemon, loggers.CreateLogger("mirrord.api"), server._stopping.Token).Map(application);

        // The run directory is held: whatever bears this name is left over from a daemon that ended.
        File.Delete(socket);
        try
        {
            await application.StartAsync();
        }
        catch (IOException failed)
        {
            throw new StartupException(
                $"the control socket {socket} can't be made: {failed.Message.TrimEnd('.')}",
                "check the directory");
        }

        RunDirectory.OpenToGroup(socket);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _application.StopAsync(patience.Token);
        await _application.DisposeAsync();
        _stopping.Dispose();
    }
}
