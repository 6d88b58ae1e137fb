using MirrorD.Daemon.Startup;

namespace MirrorD.Daemon.Tests.Startup;

/// <summary>The directory of the sockets.</summary>
public sealed class RunDirectoryTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void How_long_a_daemon_may_be_away_is_noted_in_seconds()
    {
        using RunDirectory held = RunDirectory.Take(_directory.At("run"));
        held.NoteDeadAfter(2500);
        Assert.Equal("2.5\n", File.ReadAllText(_directory.At("run/dead-after")));
    }

    [Fact]
    public void One_that_nothing_can_be_written_to_is_told_with_a_remedy()
    {
        using RunDirectory held = RunDirectory.Take(_directory.At("run"));
        Directory.CreateDirectory(_directory.At("run/dead-after"));
        StartupException failed = Assert.Throws<StartupException>(() => held.NoteDeadAfter(2500));
        Assert.Contains(_directory.At("run"), failed.Problem, StringComparison.Ordinal);
        Assert.Contains("df -h", failed.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_daemon_is_told_of_the_first()
    {
        using RunDirectory held = RunDirectory.Take(_directory.At("run"));
        StartupException failed = Assert.Throws<StartupException>(() => RunDirectory.Take(_directory.At("run")));
        Assert.Contains("another mirrord may run already", failed.Remedy, StringComparison.Ordinal);
    }
}
