using System.Text;
using MirrorD.Daemon.Logging;

namespace MirrorD.Daemon.Tests.Logging;

/// <summary>The log of the process and whoever reads it.</summary>
public sealed class LogSetupTests : IDisposable
{
    private const int Lines = 50_000;

    private readonly TextWriter _before = Console.Error;
    private readonly StallingWriter _reader = new();

    public LogSetupTests() => Console.SetError(_reader);

    public void Dispose()
    {
        _reader.Goes.Set();
        LogSetup.Flush();
        Console.SetError(_before);
        _reader.Dispose();
    }

    [Fact]
    public async Task A_reader_that_stalls_holds_up_nobody_who_logs()
    {
        NLog.Logger log = LogSetup.Begin(verbose: false).GetLogger("mirrord.test");
        await Within.Deadline(
            Task.Run(() =>
            {
                for (int line = 0; line < Lines; line++)
                {
                    log.Info("line {Number}", line);
                }
            }),
            "the lines to be logged");

        _reader.Goes.Set();
        LogSetup.Flush();
        Assert.EndsWith($"line {Lines - 1}\n", _reader.Text, StringComparison.Ordinal);
        Assert.InRange(_reader.Text.Count(letter => letter == '\n'), 1, Lines / 2);
    }

    [Fact]
    public void What_was_logged_is_written_before_an_end()
    {
        _reader.Goes.Set();
        NLog.Logger log = LogSetup.Begin(verbose: false).GetLogger("mirrord.test");
        log.Fatal("it ends");
        LogSetup.Flush();
        Assert.Contains("it ends\n", _reader.Text, StringComparison.Ordinal);
    }

    private sealed class StallingWriter : TextWriter
    {
        private readonly StringBuilder _text = new();

        public ManualResetEventSlim Goes { get; } = new();

        public override Encoding Encoding => Encoding.UTF8;

        public string Text
        {
            get
            {
                lock (_text)
                {
                    return _text.ToString();
                }
            }
        }

        public override void Write(char value)
        {
            Goes.Wait();
            lock (_text)
            {
                _text.Append(value);
            }
        }
    }
}
