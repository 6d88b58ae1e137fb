using MirrorD.Api;
using MirrorD.Configuration;
using MirrorD.Daemon.Events;
using MirrorD.Daemon.Notifications;
using Microsoft.Extensions.Logging.Abstractions;

namespace MirrorD.Daemon.Tests.Notifications;

/// <summary>Real programs: a script in the place of sendmail, and commands.</summary>
public sealed class NotifierTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private EventLog _events = null!;
    private Notifier? _notifier;

    private string Sendmail => _directory.At("sendmail");

    private string Told => _directory.At("told");

    [Fact]
    public async Task Each_event_of_a_class_goes_out_by_mail_and_command()
    {
        Script($"{{ echo \"arguments: $*\"; cat; }} > {Told}.$$ && mv {Told}.$$ {Told}.mail");
        Start(
            mail: ["root", "admin@example.net"],
            commands:
            [
                $"echo \"$MIRRORD_EVENT|$MIRRORD_CLASS|$MIRRORD_RESOURCE|$MIRRORD_NODE|$MIRRORD_MESSAGE|" +
                    $"$MIRRORD_TIME\" > {Told}.x && mv {Told}.x {Told}.command",
            ]);

        _events.Add("mail", "joined", "mail: of no interest.");
        EventReport happened = _events.Add(
            "mail", "takeover", "mail: it's $(reboot) `reboot` \"here\"; now.");

        string mail = await Written("mail");
        Assert.StartsWith("arguments: -t -oi\nFrom: mirrord@a\nTo: root, admin@example.net\n", mail);
        Assert.Contains("Subject: [mirrord] a mail: it's $(reboot) `reboot` \"here\"; now\n", mail);
        Assert.Contains("\nState: state of mail\n", mail);
        Assert.DoesNotContain("of no interest", mail);
        Assert.Equal(
            $"takeover|takeover|mail|a|mail: it's $(reboot) `reboot` \"here\"; now.|" +
            $"{happened.At.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\n",
            await Written("command"));
    }

    [Fact]
    public async Task A_hanging_sendmail_holds_up_neither_commands_nor_events_and_is_killed()
    {
        // The first one hangs, and so does a process that it left behind; the second one works.
        Script($"if [ ! -e {Told}.pid ]; then sleep 600 & echo $! > {Told}.pid; exec sleep 600; fi; " +
            $"cat > {Told}.x && mv {Told}.x {Told}.mail");
        Start(mail: ["root"], commands: [$"touch {Told}.command"], timeoutMs: 2000);

        DateTimeOffset start = DateTimeOffset.UtcNow;
        _events.Add("mail", "takeover", "The first one.");
        _events.Add("mail", "right-lost", "The second one.");
        Assert.True(DateTimeOffset.UtcNow - start < TimeSpan.FromSeconds(1));
        await Written("command");
        Assert.False(File.Exists($"{Told}.mail"));

        Assert.Contains("The second one.", await Written("mail"));
        string child = File.ReadAllText($"{Told}.pid").Trim();
        await Within.Until(
            () => Task.FromResult(!Directory.Exists($"/proc/{child}")
                || File.ReadAllText($"/proc/{child}/stat").Contains(") Z ")),
            "what the first one started to end");
        EventReport failed = Assert.Single(Failures());
        Assert.Equal(EventClass.Info, failed.Class);
        Assert.Contains("did not end within 2000 ms and was killed", failed.Message);
    }

    [Fact]
    public async Task A_failure_is_raised_once_until_it_works_again_and_never_tells_of_itself()
    {
        Script($"echo x >> {Told}.calls; [ -e {Told}.works ] && cat > {Told}.mail && exit 0; " +
            "echo 'no route to anybody' >&2; exit 75");
        Start(mail: ["root"], commands: []);

        foreach (string message in (string[])["One.", "Two.", "Three."])
        {
            _events.Add("mail", "takeover", message);
        }

        await CallsReach(3);
        EventReport failed = Assert.Single(Failures());
        Assert.Contains("failed with exit code 75: no route to anybody", failed.Message);

        File.WriteAllText($"{Told}.works", "");
        Assert.True((await Within.Deadline(_notifier!.Test(), "the test to end")).Succeeded);
        File.Delete($"{Told}.works");
        _events.Add("mail", "takeover", "Four.");
        await Within.Until(() => Task.FromResult(Failures().Count == 2), "the second failure to be raised");
        await CallsReach(5);
    }

    [Fact]
    public async Task A_sendmail_that_is_not_there_is_told_with_what_to_do()
    {
        Start(mail: ["root"], commands: []);

        (bool succeeded, string message) = await Within.Deadline(_notifier!.Test(), "the test to end");

        Assert.False(succeeded);
        Assert.Equal(
            $"there is no {Sendmail} to take the mail: install a mail server, or name its program in " +
            "notify.sendmail",
            message);
    }

    [Fact]
    public async Task All_commands_run_though_the_first_one_fails()
    {
        Start(mail: [], commands: ["exit 3", $"touch {Told}.command"]);

        (bool succeeded, string message) = await Within.Deadline(_notifier!.Test(), "the test to end");

        Assert.Equal((false, "the command 'exit 3' failed with exit code 3"), (succeeded, message));
        await Written("command");
    }

    [Fact]
    public async Task A_test_says_what_went_out()
    {
        Script("cat > /dev/null");
        Start(mail: ["root"], commands: [$"echo $MIRRORD_EVENT $MIRRORD_CLASS > {Told}.command", "true"]);

        (bool succeeded, string message) = await Within.Deadline(_notifier!.Test(), "the test to end");

        Assert.Equal(
            (true, $"a mail to root was taken by {Sendmail} and 2 command(s) ended well"),
            (succeeded, message));
        Assert.Equal("test info\n", await Written("command"));
    }

    [Fact]
    public async Task A_test_without_anybody_to_tell_fails()
    {
        Start(mail: [], commands: []);

        Assert.False((await _notifier!.Test()).Succeeded);
    }

    [Fact]
    public async Task What_was_raised_before_the_end_is_still_told()
    {
        Script($"cat >> {Told}.mail");
        Start(mail: ["root"], commands: []);
        _events.Add("mail", "released", "The last one.");

        await _notifier!.DisposeAsync();
        _notifier = null;

        Assert.Contains("The last one.", File.ReadAllText($"{Told}.mail"));
    }

    public Task InitializeAsync()
    {
        _events = new EventLog(_directory.At("events.jsonl"), failed => Assert.Fail(failed.ToString()));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        if (_notifier is not null)
        {
            await _notifier.DisposeAsync();
        }

        await _events.DisposeAsync();
        _directory.Dispose();
    }

    private void Script(string line)
    {
        File.WriteAllText(Sendmail, $"#!/bin/sh\n{line}\n");
        File.SetUnixFileMode(
            Sendmail, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private void Start(string[] mail, string[] commands, int timeoutMs = Notifier.DefaultTimeoutMs)
    {
        _notifier = new Notifier(
            new NotifyConfiguration(mail, commands, Sendmail), "a", _events,
            resource => $"state of {resource}", NullLogger.Instance, timeoutMs);
        _notifier.Start();
    }

    private IReadOnlyList<EventReport> Failures() =>
        [.. _events.After(0).Events.Where(happened => happened.Kind == "notification-failed")];

    private async Task<string> Written(string what)
    {
        await Within.Until(() => Task.FromResult(File.Exists($"{Told}.{what}")), $"the {what} to go out");
        return await File.ReadAllTextAsync($"{Told}.{what}");
    }

    private Task CallsReach(int count) => Within.Until(
        () => Task.FromResult(
            File.Exists($"{Told}.calls") && File.ReadAllLines($"{Told}.calls").Length == count),
        $"{count} calls of sendmail");
}
