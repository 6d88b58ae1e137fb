using System.Text.Json;

namespace MirrorD.Machines.Devices;

/// <summary>QEMU's machine protocol (QEMU documentation, interop/qmp-spec).</summary>
internal sealed class QemuMonitor : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly Lock _gate = new();
    private readonly LineSocket _socket;

    public QemuMonitor(string path)
    {
        _socket = new LineSocket(path);
        _socket.ReadLine(Deadline);
        Call("qmp_capabilities");
    }

    /// <summary>Runs a command and gives what it returned.</summary>
    /// <exception cref="InvalidOperationException">QEMU refused it; the message says why.</exception>
    public JsonElement Call(string command, object? arguments = null)
    {
        lock (_gate)
        {
            _socket.Send(
                JsonSerializer.Serialize(new { execute = command, arguments = arguments ?? new { } }));
            while (true)
            {
                using JsonDocument line = JsonDocument.Parse(_socket.ReadLine(Deadline));
                if (line.RootElement.TryGetProperty("return", out JsonElement result))
                {
                    return result.Clone();
                }

                if (line.RootElement.TryGetProperty("error", out JsonElement error))
                {
                    throw new InvalidOperationException(
                        $"{command}: {error.GetProperty("desc").GetString()}");
                }

                // An event, of which none is waited for.
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
