using MirrorD.Api;
using MirrorD.Daemon.Storage;

namespace MirrorD.Daemon.Tests.Storage;

/// <summary>What a journal holds is read back; what can't be one of its lines is left out.</summary>
public class JsonLinesFileTests
{
    private const string Good = """{"sequence":1,"at":"2026-01-31T12:00:00Z","kind":"started","message":"m"}""";

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("""{"sequence":1,"at":"2026-01-31T12:00:00Z","kind":null,"message":"m"}""")]
    [InlineData("""{"sequence":1,"at":"2026-01-31T12:00:00Z","kind":"started"}""")]
    [InlineData("""{"sequence":1,"sequence":2,"at":"2026-01-31T12:00:00Z","kind":"started","message":"m"}""")]
    public void A_line_that_is_no_event_is_left_out(string line)
    {
        using var directory = new TemporaryDirectory();
        string path = directory.At("events");
        File.WriteAllText(path, $"{Good}\n{line}\n{Good}\n");

        IReadOnlyList<EventReport> read =
            new JsonLinesFile<EventReport>(path, 1 << 20, ApiJson.Compact.EventReport).ReadLast(10);

        Assert.Equal(2, read.Count);
        Assert.All(read, each => Assert.Equal(EventClass.Info, each.Class));
    }
}
