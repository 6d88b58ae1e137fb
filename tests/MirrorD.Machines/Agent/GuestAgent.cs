using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using MirrorD.Lab;
using MirrorD.Machines.Devices;

namespace MirrorD.Machines.Agent;

/// <summary>
/// The QEMU guest agent of a machine, over a serial port: it needs no network (QEMU documentation,
/// interop/qemu-ga-ref). One request at a time, from any thread.
/// </summary>
internal sealed class GuestAgent : IDisposable
{
    private const byte Sentinel = 0xFF;
    private readonly Lock _gate = new();
    private readonly LineSocket _socket;
    private readonly string _name;
    private bool _inStep;

    public GuestAgent(string name, string path)
    {
        _name = name;
        _socket = new LineSocket(path);
    }

    /// <summary>How long the agent may take for a request; a machine without memory is slow.</summary>
    public static TimeSpan RequestDeadline { get; } = TimeSpan.FromSeconds(90);

    /// <summary>True when the agent answers within a second.</summary>
    public bool IsAnswering()
    {
        lock (_gate)
        {
            try
            {
                _inStep = _inStep && TryPing();
                return _inStep || TryGetInStep(TimeSpan.FromSeconds(1));
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                return false;
            }
        }
    }

    /// <summary>Runs a command of the agent and gives what it returned.</summary>
    /// <exception cref="GuestAgentException">
    /// The agent refused it, or did not answer: then it may have been done.
    /// </exception>
    public JsonElement Call(string command, object? arguments = null) =>
        Call(command, arguments, RequestDeadline);

    /// <summary>As the other, for an agent that may be about to end.</summary>
    public JsonElement Call(string command, object? arguments, TimeSpan deadline)
    {
        lock (_gate)
        {
            var clock = Stopwatch.StartNew();
            while (!_inStep)
            {
                _inStep = TryGetInStep(TimeSpan.FromSeconds(5));
                if (!_inStep && clock.Elapsed > deadline)
                {
                    throw new GuestAgentException(
                        $"waited {deadline.TotalSeconds:0} s for: the agent of {_name} to answer");
                }
            }

            try
            {
                return Exchange(command, arguments, deadline);
            }
            catch (TimeoutException)
            {
                throw new GuestAgentException(
                    $"waited {deadline.TotalSeconds:0} s for: the agent of {_name} to do {command}");
            }
        }
    }

    /// <summary>Sends a command that ends the agent, so that it has no answer.</summary>
    public void Send(string command, object arguments)
    {
        lock (_gate)
        {
            _inStep = false;
            _socket.Send(JsonSerializer.Serialize(new { execute = command, arguments }));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private bool TryPing()
    {
        try
        {
            Exchange("guest-ping", null, TimeSpan.FromSeconds(5));
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private JsonElement Exchange(string command, object? arguments, TimeSpan deadline)
    {
        // Until its answer is here, the next line may be anybody's.
        _inStep = false;
        _socket.Send(JsonSerializer.Serialize(new { execute = command, arguments = arguments ?? new { } }));
        using JsonDocument line = JsonDocument.Parse(_socket.ReadLine(deadline));
        _inStep = true;
        return line.RootElement.TryGetProperty("return", out JsonElement result)
            ? result.Clone()
            : throw new GuestAgentException($"{_name}: {command}: {Description(line.RootElement)}");
    }

    private static string? Description(JsonElement refusal) =>
        refusal.GetProperty("error").GetProperty("desc").GetString();

    // Answers to requests that were given up may still come; the one to a number never used before is ours.
    private bool TryGetInStep(TimeSpan within)
    {
        long number = Random.Shared.NextInt64(1L << 50);
        _socket.Send([Sentinel]);
        _socket.Send(JsonSerializer.Serialize(
            new { execute = "guest-sync-delimited", arguments = new { id = number } }));
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < within)
        {
            try
            {
                string line = _socket.ReadLine(within - clock.Elapsed, Sentinel);
                using JsonDocument parsed = JsonDocument.Parse(line);
                if (parsed.RootElement.TryGetProperty("return", out JsonElement result)
                    && result.ValueKind == JsonValueKind.Number && result.GetInt64() == number)
                {
                    return true;
                }
            }
            catch (JsonException)
            {
                // The rest of a line that was cut off by the end of an earlier agent.
            }
            catch (TimeoutException)
            {
                return false;
            }
        }

        return false;
    }
}
