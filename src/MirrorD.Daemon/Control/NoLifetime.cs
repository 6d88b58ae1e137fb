using Microsoft.Extensions.Hosting;

namespace MirrorD.Daemon.Control;

/// <summary>Signals are handled by the program itself, as resources stop before the API does.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
