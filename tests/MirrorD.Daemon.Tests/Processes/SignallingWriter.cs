using System.Text;

namespace MirrorD.Daemon.Tests.Processes;

/// <summary>Keeps what is written and tells when something was.</summary>
internal sealed class SignallingWriter : TextWriter
{
    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();
    private readonly List<(string Text, TaskCompletionSource Seen)> _awaited = [];

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value)
    {
        lock (_gate)
        {
            _text.Append(value);
            if (value == '\n')
            {
                Tell();
            }
        }
    }

    /// <summary>Ends when a whole line with the text was written.</summary>
    public Task Seen(string text)
    {
        lock (_gate)
        {
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((text, seen));
            Tell();
            return seen.Task;
        }
    }

    private void Tell()
    {
        string all = _text.ToString();
        foreach ((string text, TaskCompletionSource seen) in _awaited)
        {
            if (all.Contains(text))
            {
                seen.TrySetResult();
            }
        }
    }
}
