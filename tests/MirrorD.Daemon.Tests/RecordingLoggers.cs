using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Tests;

/// <summary>Keeps what is logged, for tests of what shows in no other way.</summary>
internal sealed class RecordingLoggers : ILoggerFactory, ILogger
{
    /// <summary>Texts, of all loggers and levels.</summary>
    public ConcurrentQueue<string> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) => Lines.Enqueue(formatter(state, exception));

    public void Dispose()
    {
        // Nothing is held.
    }
}
