using System.Text;
using System.Text.Json;
using MirrorD.Api;
using MirrorD.Control;
using MirrorD.Daemon.Tests.Cli;
using MirrorD.Daemon.Tests.History;
using MirrorD.Daemon.Tests.Metrics;
using Mono.Unix.Native;

namespace MirrorD.Daemon.Tests.Processes;

/// <summary>A real daemon whose resource can't start: the API, its errors, and hostile input.</summary>
public sealed class ApiTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly int _metricsPort = MetricsListenerTests.FreePort();
    private DaemonProcess _daemon = null!;

    public async Task InitializeAsync()
    {
        File.WriteAllText(_directory.At("mirrord.yaml"), """
            nodes:
              a: {dedicated: {address: 127.0.0.1}, metrics: {address: 127.0.0.1, port: METRICS}}
              b: {dedicated: {address: 127.0.0.2}}
            resources:
              mail: {between: [a, b], volumes: {data: {file: /nonexistent/data.img}}}
            notify:
              mail: root
              sendmail: SENDMAIL
            """.Replace("SENDMAIL", _directory.At("sendmail")).Replace("METRICS", $"{_metricsPort}"));
        await DaemonProcess.MakeCluster(_directory.At("mirrord.yaml"), _directory.Root, "a");
        _daemon = await DaemonProcess.StartAndWait(_directory.At("mirrord.yaml"), "a", _directory.Root);
    }

    [Fact]
    public async Task A_resource_that_cannot_start_says_why_and_leaves_the_daemon_running()
    {
        ResourceReport mail = await _daemon.Resource("mail");
        MirrorctlRun promoted = await _daemon.Control("promote", "mail");
        MirrorctlRun checkedStatus = await _daemon.Control("status", "--check");

        Assert.Equal((ResourceHealth.Failed, "DiskAwaited"), (mail.Health, mail.HoldUp!.State));
        Assert.Contains("/nonexistent/data.img", mail.HoldUp.Reason);
        Assert.Contains("/nonexistent/data.img", promoted.Error);
        Assert.Equal(ExitCode.Failed, promoted.ExitCode);
        Assert.Equal(ExitCode.NotMirrored, checkedStatus.ExitCode);
        Assert.Contains("resource=mail can't start: Cannot open /nonexistent/data.img", _daemon.Log);
    }

    [Fact]
    public async Task A_resource_that_is_not_there_is_named_with_those_that_are()
    {
        MirrorctlRun run = await _daemon.Control("demote", "mial");

        Assert.Equal("mirrorctl: node a has no resource 'mial'; it has mail\n", run.Error);
        Assert.Equal(ExitCode.Failed, run.ExitCode);
    }

    [Fact]
    public async Task Metrics_and_load_are_there_also_of_a_resource_that_cannot_start()
    {
        (int code, string type, string body) = await _daemon.Fetch("/metrics");
        var text = new ExpositionText(body);
        MirrorctlRun top = await _daemon.Control("top", "mail", "--once");
        MirrorctlRun wrong = await _daemon.Control("top", "mial", "--once");

        Assert.Equal((200, "text/plain; version=0.0.4; charset=utf-8"), (code, type));
        Assert.Equal(1, text["mirrord_resource_health{resource=\"mail\",health=\"failed\"}"]);
        using var http = new HttpClient();
        var shown = new ExpositionText(await http.GetStringAsync(new Uri($"http://127.0.0.1:{_metricsPort}/metrics")));
        Assert.Equal(text.Types, shown.Types);
        Assert.Equal((ExitCode.Ok, ""), (top.ExitCode, top.Error));
        Assert.StartsWith("RESOURCE VOLUME ROLE OPERATION ", top.Output);
        Assert.Equal("mirrorctl: node a has no resource 'mial'; it has mail\n", wrong.Error);
    }

    [Fact]
    public async Task History_is_shown_across_restarts()
    {
        Assert.Equal("", await _daemon.Require("history"));
        Assert.Equal(0, await _daemon.Terminate());
        File.WriteAllText(
            Path.Combine(DaemonProcess.StateOf(_directory.Root, "a"), "history.jsonl"),
            JsonSerializer.Serialize(
                TakeoverHistoryTests.Record("mail", 312), ApiJson.Compact.TakeoverRecord) + "\n");
        _daemon.Dispose();
        _daemon = await DaemonProcess.StartAndWait(_directory.At("mirrord.yaml"), "a", _directory.Root);

        string table = await _daemon.Require("history", "mail");
        string json = await _daemon.Require("history", "--json");

        Assert.Contains("took     300 ms  address probe", table);
        Assert.Equal(
            312, JsonSerializer.Deserialize(json, ApiJson.Compact.TakeoverRecord)!.TotalMs);
    }

    [Fact]
    public async Task A_test_notification_goes_out_or_is_told_to_fail()
    {
        MirrorctlRun wrong = await _daemon.Control("notify", "tset");
        MirrorctlRun failed = await _daemon.Control("notify", "test");
        string script = _directory.At("sendmail");
        File.WriteAllText(script, $"#!/bin/sh\ncat > {_directory.At("mail")}\n");
        File.SetUnixFileMode(
            script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string sent = await _daemon.Require("notify", "test");

        Assert.Equal(ExitCode.Usage, wrong.ExitCode);
        Assert.Equal(ExitCode.Failed, failed.ExitCode);
        Assert.StartsWith($"mirrorctl: there is no {script} to take the mail", failed.Error);
        Assert.Equal($"A test notification went out: a mail to root was taken by {script}.\n", sent);
        Assert.Contains("Subject: [mirrord] a: This is a test", File.ReadAllText(_directory.At("mail")));
        Assert.Contains("notification by mail failed", _daemon.Log);
    }

    [Fact]
    public async Task Forcing_says_what_is_lost_and_asks_for_the_name()
    {
        MirrorctlRun nobody = await _daemon.Control("promote", "mail", "--force");
        MirrorctlRun wrong = await MirrorctlRun.Answering(
            "yes\n", "promote", "mail", "--force", "--socket", _daemon.Socket);
        MirrorctlRun right = await MirrorctlRun.Answering(
            "mail\n", "promote", "mail", "--force", "--socket", _daemon.Socket);

        Assert.Equal(ExitCode.Usage, nobody.ExitCode);
        Assert.Contains("add --yes", nobody.Error);
        Assert.Contains("not confirmed, nothing was changed", wrong.Error);
        Assert.StartsWith("Promoting mail by force:\n  - ", right.Error);
        Assert.Contains("/nonexistent/data.img", right.Error);
    }

    [Fact]
    public async Task Events_are_listed_and_followed()
    {
        string listed = await _daemon.Require("events", "--json");
        using var enough = new CancellationTokenSource();
        var output = new SignallingWriter();
        Task<int> following = MirrorctlCommandLine.Run(
            ["events", "--follow", "--socket", _daemon.Socket],
            new CommandContext(output, TextWriter.Null, TextReader.Null, false, false), enough.Token);
        await Within.Deadline(output.Seen("start-failed"), "the event to be shown");
        await enough.CancelAsync();

        Assert.Equal(ExitCode.Ok, await Within.Deadline(following, "mirrorctl to end"));
        EventReport first = JsonSerializer.Deserialize(listed.Split('\n')[0], ApiJson.Compact.EventReport)!;
        Assert.Equal((1, "mail", "start-failed"), (first.Sequence, first.Resource, first.Kind));
    }

    [Fact]
    public async Task Status_is_watched_until_the_daemon_ends()
    {
        var output = new SignallingWriter();
        var error = new StringWriter();
        Task<int> watching = MirrorctlCommandLine.Run(
            ["status", "--watch", "--json", "--socket", _daemon.Socket],
            new CommandContext(output, error, TextReader.Null, false, false), CancellationToken.None);
        await Within.Deadline(output.Seen("\"DiskAwaited\""), "the status to be shown");

        Assert.Equal(0, await _daemon.Terminate());

        Assert.Equal(ExitCode.Unreachable, await Within.Deadline(watching, "mirrorctl to end"));
    }

    [Theory]
    [InlineData("GET /v1/nothing", "", "404", "the API has no GET /v1/nothing")]
    [InlineData("POST /v1/nothing.json", "", "404", "the API has no POST /v1/nothing.json")]
    [InlineData("GET /v1/events?after=x", "", "400", "'x' is no sequence number of an event")]
    [InlineData("POST /v1/resources/mail/promote", "{\"force\":", "400", "is no PromoteRequest")]
    [InlineData("POST /v1/resources/mail/promote", "{\"force\":1}", "400", "is no PromoteRequest")]
    [InlineData(
        "POST /v1/resources/mail/promote", "{\"force\":true,\"force\":false}", "400", "is no PromoteRequest")]
    [InlineData("POST /v1/resources/mail/promote", "null", "400", "is no PromoteRequest")]
    [InlineData("GET /v1/history?resource=mial", "", "404", "node a has no resource 'mial'")]
    [InlineData("DELETE /v1/status", "", "404", "the API has no DELETE /v1/status")]
    public async Task A_wrong_request_gets_a_clear_answer(
        string request, string body, string code, string message)
    {
        string answer = await _daemon.Raw(Encoding.UTF8.GetBytes(
            $"{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n" +
            $"Content-Length: {body.Length}\r\n\r\n{body}"), isAll: false);

        Assert.StartsWith($"HTTP/1.1 {code} ", answer);
        Assert.Contains(message, answer);
    }

    [Fact]
    public async Task Too_large_a_body_is_refused_unread()
    {
        string answer = await _daemon.Raw(Encoding.UTF8.GetBytes(
            "POST /v1/resources/mail/promote HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
            "Content-Length: 1000000000\r\n\r\n{"), isAll: false);

        Assert.StartsWith("HTTP/1.1 413 ", answer);
    }

    [Fact]
    public async Task Random_bytes_change_nothing()
    {
        var random = new Random(20);
        for (int i = 0; i < 100; i++)
        {
            var bytes = new byte[random.Next(1, 5000)];
            random.NextBytes(bytes);
            await _daemon.Raw(bytes, isAll: true);
        }

        Assert.Contains("mail", await _daemon.Require("status"));
    }

    [Fact]
    public async Task A_second_daemon_in_the_same_directory_is_refused()
    {
        using DaemonProcess second = DaemonProcess.Start(_directory.At("mirrord.yaml"), "a", _directory.Root);

        Assert.Equal(1, await second.WaitForExit());
        await Within.Until(
            () => Task.FromResult(second.Log.Contains("another mirrord may run already")),
            "the reason to be shown");
        Assert.Contains("mail", await _daemon.Require("status"));
    }

    [Fact]
    public void The_socket_is_closed_to_others()
    {
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        const UnixFileMode Group = UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

        // Without the group it is root's alone, not the group root's.
        bool hasGroup = Environment.UserName == "root" && Syscall.getgrnam("mirrord") is not null;
        Assert.Equal(hasGroup ? Owner | Group : Owner, File.GetUnixFileMode(_daemon.Socket));
    }

    public Task DisposeAsync()
    {
        _daemon.Dispose();
        _directory.Dispose();
        return Task.CompletedTask;
    }
}
