using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using MirrorD.Api;
using MirrorD.Daemon.Tests.Cli;
using Mono.Unix.Native;

namespace MirrorD.Daemon.Tests.Processes;

/// <summary>A real mirrord on this machine, with directories of its own.</summary>
internal sealed class DaemonProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private readonly string _socket;

    private DaemonProcess(Process process, string socket)
    {
        _process = process;
        _socket = socket;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
            {
                _log.AppendLine(line.Data);
            }
        };
    }

    public string Socket => _socket;

    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Makes a cluster of the nodes, with the state directories that their daemons use.</summary>
    public static async Task MakeCluster(string configuration, string directory, string first, params string[] others)
    {
        string[] options =
            ["--config", configuration, "--node-name", first, "--state-dir", StateOf(directory, first)];
        MirrorctlRun made = await MirrorctlRun.Of(["cluster", "init", .. options]);
        Assert.Equal("", made.Error);
        foreach (string other in others)
        {
            MirrorctlRun issued = await MirrorctlRun.Of(
                ["cluster", "issue", other, "--out", StateOf(directory, other), .. options]);
            Assert.Equal("", issued.Error);
        }
    }

    /// <summary>Starts a daemon; what it needs must be in place.</summary>
    /// <param name="configuration">Its file.</param>
    /// <param name="node">The node that it is.</param>
    /// <param name="directory">Where its directories are.</param>
    /// <param name="before">A program, with its words, that ends by becoming the one behind them.</param>
    public static DaemonProcess Start(string configuration, string node, string directory, params string[] before)
    {
        string run = Path.Combine(directory, $"run-{node}");
        string[] words =
        [
            .. before, Path.Combine(AppContext.BaseDirectory, "mirrord"),
            "--config", configuration, "--node", node, "--run-dir", run, "--state-dir", StateOf(directory, node),
        ];
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardError = true };

        var process = new DaemonProcess(Process.Start(start)!, Path.Combine(run, "mirrord.sock"));
        process._process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Starts a daemon and waits until it answers.</summary>
    public static async Task<DaemonProcess> StartAndWait(
        string configuration, string node, string directory, params string[] before)
    {
        DaemonProcess process = Start(configuration, node, directory, before);
        try
        {
            await Within.Until(
                async () => process._process.HasExited
                    ? throw new InvalidOperationException($"mirrord ended:\n{process.Log}")
                    : File.Exists(process.Socket) && (await process.Control("status")).ExitCode == 0,
                $"mirrord of node {node} to answer");
            return process;
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    public static string StateOf(string directory, string node) => Path.Combine(directory, $"state-{node}");

    /// <summary>Runs mirrorctl against this daemon.</summary>
    public Task<MirrorctlRun> Control(params string[] arguments) =>
        MirrorctlRun.Of([.. arguments, "--socket", _socket]);

    /// <summary>As <see cref="Control"/>, and fails the test when the command does.</summary>
    public async Task<string> Require(params string[] arguments)
    {
        MirrorctlRun run = await Control(arguments);
        Assert.True(run.ExitCode == 0, $"mirrorctl {string.Join(' ', arguments)}: {run.Error}\n{Log}");
        return run.Output;
    }

    public async Task<ResourceReport> Resource(string name)
    {
        string json = await Require("status", "--json");
        StatusReport report = JsonSerializer.Deserialize(json, ApiJson.Compact.StatusReport)!;
        return report.Resources.Single(resource => resource.Name == name);
    }

    /// <summary>Waits for a state of a resource.</summary>
    public async Task WaitFor(string resource, string what, Func<ResourceReport, bool> condition)
    {
        try
        {
            await Within.Until(async () => condition(await Resource(resource)), what);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\n{await Require("status", "--json")}\n{Log}");
        }
    }

    /// <summary>Stops the daemon as systemd does and returns its exit code.</summary>
    public async Task<int> Terminate()
    {
        Assert.Equal(0, Syscall.kill(_process.Id, Signum.SIGTERM));
        await Within.Deadline(_process.WaitForExitAsync(), "mirrord to stop");
        return _process.ExitCode;
    }

    /// <summary>Waits for an end that nobody asked for.</summary>
    public async Task<int> WaitForExit()
    {
        await Within.Deadline(_process.WaitForExitAsync(), "mirrord to end");
        return _process.ExitCode;
    }

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Bytes by hand; returns everything until the daemon closes.</summary>
    /// <param name="request">The bytes.</param>
    /// <param name="isAll">
    /// Ends the connection behind them, which the daemon takes for a caller who left.
    /// </param>
    public async Task<string> Raw(byte[] request, bool isAll)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket));
        await using var stream = new NetworkStream(socket);
        try
        {
            await stream.WriteAsync(request);
            if (isAll)
            {
                socket.Shutdown(SocketShutdown.Send);
            }

            using var reader = new StreamReader(stream);
            return await Within.Deadline(reader.ReadToEndAsync(), "the daemon to answer and close");
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>A GET of the control API.</summary>
    public async Task<(int Code, string Type, string Body)> Fetch(string path)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        using HttpResponseMessage response = await http.GetAsync(new Uri($"http://mirrord{path}"));
        string body = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, $"{response.Content.Headers.ContentType}", body);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }
}
