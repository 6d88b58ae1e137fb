using MirrorD.Control;

namespace MirrorD.Daemon.Tests.Cli;

public sealed class InspectTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Disk => _directory.At("data.img");

    [Theory]
    [InlineData(null, "data.img")]
    [InlineData("meta.img", "meta.img")]
    public async Task Metadata_is_found_and_decoded_while_somebody_holds_the_device(
        string? metadata, string inspected)
    {
        await Create(metadata is null ? "internal" : _directory.At(metadata));
        using var held = new FileStream(
            _directory.At(inspected), FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        MirrorctlRun report = await MirrorctlRun.Of("inspect", _directory.At(inspected));
        MirrorctlRun dump = await MirrorctlRun.Of("inspect", "--dump", _directory.At(inspected));

        Assert.Equal((ExitCode.Ok, ""), (report.ExitCode, report.Error));
        Assert.Contains("superblock-0: intact sequence=", report.Output);
        Assert.Contains("mail", report.Output);
        Assert.StartsWith("mirrord-metadata: 1\n", dump.Output);
        Assert.EndsWith("end: mirrord-metadata\n", dump.Output);
    }

    [Fact]
    public async Task A_device_without_metadata_is_told()
    {
        MakeDisk();

        MirrorctlRun run = await MirrorctlRun.Of("inspect", Disk);
        MirrorctlRun missing = await MirrorctlRun.Of("inspect", "/nonexistent/x");

        Assert.StartsWith($"mirrorctl: {Disk} holds no intact metadata at its end or begin; ", run.Error);
        Assert.StartsWith("mirrorctl: Cannot open /nonexistent/x: ", missing.Error);
        Assert.Equal([ExitCode.Failed, ExitCode.Failed], [run.ExitCode, missing.ExitCode]);
    }

    public void Dispose() => _directory.Dispose();

    private void MakeDisk()
    {
        using FileStream file = File.Create(Disk);
        file.SetLength(16 << 20);
    }

    private async Task Create(string metadata)
    {
        MakeDisk();
        File.WriteAllText(_directory.At("m.yaml"), $"""
            nodes:
              a:
                dedicated:
                  address: 10.0.0.1
              b:
                dedicated:
                  address: 10.0.0.2
            resources:
              mail:
                between: [a, b]
                volumes:
                  data:
                    file: {Disk}
                    metadata: {metadata}
            """);
        MirrorctlRun run = await MirrorctlRun.Of(
            "create", "mail", "--from", "a", "--config", _directory.At("m.yaml"), "--node-name", "a",
            "--state-dir", _directory.At("state"));
        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
    }
}
