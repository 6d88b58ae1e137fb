using MirrorD.Api;
using MirrorD.Configuration;
using MirrorD.Daemon.Events;
using MirrorD.Daemon.Logging;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Notifications;

/// <summary>
/// Tells people of each event whose class is not <see cref="EventClass.Info"/>. It reads the event log as any
/// other reader does, so nothing that raises events ever waits for it.
/// </summary>
internal sealed class Notifier : IAsyncDisposable
{
    /// <summary>Deadline of each mail and each command, in milliseconds.</summary>
    public const int DefaultTimeoutMs = 30_000;

    private readonly NotifyConfiguration _configuration;
    private readonly string _node;
    private readonly EventLog _events;
    private readonly Func<string, string?> _stateOf;
    private readonly ILogger _logger;
    private readonly TimeSpan _testWait;
    private readonly NotificationQueue? _mail;
    private readonly NotificationQueue? _commands;
    private readonly CancellationTokenSource _stop = new();
    private long _seen;
    private Task _following = Task.CompletedTask;

    /// <summary>Notes where the event log is; <see cref="Start"/> begins to tell what comes after.</summary>
    /// <param name="configuration">Whom to tell.</param>
    /// <param name="node">Name of this node.</param>
    /// <param name="events">The log.</param>
    /// <param name="stateOf">State of a resource now, in words; null when unknown.</param>
    /// <param name="logger">Told what programs print and what fails.</param>
    /// <param name="timeoutMs">Deadline of each mail and each command, in milliseconds.</param>
    public Notifier(
        NotifyConfiguration configuration, string node, EventLog events, Func<string, string?> stateOf,
        ILogger logger, int timeoutMs = DefaultTimeoutMs)
    {
        _configuration = configuration;
        _node = node;
        _events = events;
        _stateOf = stateOf;
        _logger = logger;
        _seen = events.LastSequence;

        // One that is under way, and then the test itself.
        _testWait = TimeSpan.FromMilliseconds(2.0 * timeoutMs * Math.Max(1, configuration.Commands.Count));
        var programs = new NotificationPrograms(
            configuration, timeoutMs, line => NotifyLog.Output(logger, line));
        _mail = configuration.Mail.Count == 0
            ? null
            : new NotificationQueue(programs.Mail, EndedOf("mail"));
        _commands = configuration.Commands.Count == 0
            ? null
            : new NotificationQueue(programs.Commands, EndedOf("command"));
    }

    /// <summary>Begins to follow the event log.</summary>
    public void Start() => _following = Task.Run(Follow);

    /// <summary>Sends one notification, behind those that wait.</summary>
    /// <returns>The receivers, or what went wrong.</returns>
    public async Task<(bool Succeeded, string Message)> Test()
    {
        if (_mail is null && _commands is null)
        {
            return (false, "nobody is to be told: the configuration names neither mail nor command");
        }

        Notification told = new(
            new EventReport
            {
                Sequence = 0,
                At = DateTimeOffset.UtcNow,
                Kind = Notification.TestKind,
                Message = $"This is a test notification from node {_node}. Nothing has happened.",
            },
            _node, null);
        string?[] failures = await Task.WhenAll(Within(_mail?.Add(told)), Within(_commands?.Add(told)));
        string[] problems = [.. failures.OfType<string>()];
        return problems.Length > 0
            ? (false, string.Join("; ", problems))
            : (true, string.Join(" and ", Receivers()));
    }

    /// <summary>Tells what was raised so far, as far as that is done in a few seconds, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _following;
        _ = TellNew();
        await Task.WhenAll(
            _mail?.DisposeAsync().AsTask() ?? Task.CompletedTask,
            _commands?.DisposeAsync().AsTask() ?? Task.CompletedTask);
        _stop.Dispose();
    }

    private IEnumerable<string> Receivers()
    {
        if (_mail is not null)
        {
            yield return $"a mail to {string.Join(", ", _configuration.Mail)} was taken by " +
                _configuration.Sendmail;
        }

        if (_commands is not null)
        {
            yield return $"{_configuration.Commands.Count} command(s) ended well";
        }
    }

    private async Task<string?> Within(Task<string?>? ending)
    {
        if (ending is null)
        {
            return null;
        }

        return await Task.WhenAny(ending, Task.Delay(_testWait)) == ending
            ? await ending
            : "it did not get its turn in time, as others wait before it";
    }

    private async Task Follow()
    {
        try
        {
            while (true)
            {
                await TellNew().WaitAsync(_stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The end of this daemon.
        }
    }

    /// <summary>Tells what is new, and returns a task that ends with the next event.</summary>
    private Task TellNew()
    {
        (IReadOnlyList<EventReport> events, Task next) = _events.After(_seen);
        foreach (EventReport happened in events)
        {
            _seen = happened.Sequence;
            if (happened.Class != EventClass.Info)
            {
                var told = new Notification(
                    happened, _node, happened.Resource is { } resource ? _stateOf(resource) : null);
                _mail?.Add(told);
                _commands?.Add(told);
            }
        }

        return next;
    }

    /// <summary>
    /// Each failure is logged; the first of a row is an event too, of class info, so that it is never
    /// notified itself.
    /// </summary>
    private Action<string?> EndedOf(string what)
    {
        bool isFailing = false;
        return failure =>
        {
            if (failure is not null)
            {
                NotifyLog.Failed(_logger, what, failure);
                if (!isFailing)
                {
                    _events.Add(null, "notification-failed", $"A notification by {what} failed: {failure}.");
                }
            }

            isFailing = failure is not null;
        };
    }
}
