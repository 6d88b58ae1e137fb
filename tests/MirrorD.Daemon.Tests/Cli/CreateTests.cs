using System.Diagnostics;
using MirrorD.Control;
using MirrorD.Formats.Metadata;

namespace MirrorD.Daemon.Tests.Cli;

/// <summary>
/// mirrorctl create on files; devices that are mounted and the like are tested on real hosts.
/// </summary>
public sealed class CreateTests : IDisposable
{
    private const long DiskBytes = 64 << 20;

    private readonly TemporaryDirectory _directory = new();

    public CreateTests()
    {
        File.WriteAllText(_directory.At("mirrord.yaml"), $$$"""
            nodes:
              a: {dedicated: {address: 10.0.0.1}}
              b: {dedicated: {address: 10.0.0.2}}
            resources:
              mail:
                between: [a, b]
                volumes:
                  data: {file: {{{Disk}}}}
              web:
                between: [a, b]
                port: 7781
                volumes:
                  data: {file: {{{Disk}}}.web, metadata: {{{Disk}}}.meta}
            """);
    }

    private string Disk => _directory.At("data.img");

    [Theory]
    [InlineData("--from", "a", CreationSource.Self)]
    [InlineData("--from", "b", CreationSource.Peer)]
    [InlineData("--empty", null, CreationSource.Empty)]
    public async Task The_metadata_says_whose_data_counts(string option, string? value, CreationSource source)
    {
        MakeDisk(Disk);

        MirrorctlRun run = await Create("mail", value is null ? [option] : [option, value]);

        Assert.Equal("", run.Error);
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Superblock superblock = ReadSuperblock();
        Assert.Equal(source, superblock.CreationSource);
        Assert.Equal(
            ("mail", "data", 0), (superblock.ResourceName, superblock.VolumeName, superblock.VolumeIndex));
        Assert.Equal(File.ReadAllText(_directory.At("state/node-id")).Trim(), superblock.Node.ToString());
    }

    [Fact]
    public async Task Nothing_is_guessed()
    {
        MakeDisk(Disk);

        MirrorctlRun neither = await Create("mail");
        MirrorctlRun both = await Create("mail", "--empty", "--from", "a");
        MirrorctlRun stranger = await Create("mail", "--from", "c");

        Assert.Equal(
            "mirrorctl: which side's data counts is never guessed; say '--from a', '--from b' or '--empty'\n",
            neither.Error);
        Assert.Equal(
            [ExitCode.Usage, ExitCode.Usage, ExitCode.Usage],
            [neither.ExitCode, both.ExitCode, stranger.ExitCode]);
        Assert.Equal(neither.Error, both.Error);
        AssertUntouched();
    }

    [Fact]
    public async Task A_volume_of_ours_is_not_created_again()
    {
        MakeDisk(Disk);
        await Create("mail", "--empty");
        Superblock first = ReadSuperblock();

        MirrorctlRun again = await Create("mail", "--from", "a");
        MirrorctlRun overwritten = await Create("mail", "--from", "a", "--overwrite");

        Assert.StartsWith($"mirrorctl: {Disk} is already volume data of resource mail; ", again.Error);
        Assert.Equal(ExitCode.Ok, overwritten.ExitCode);
        Assert.NotEqual(first.Current, ReadSuperblock().Current);
    }

    [Theory]
    [InlineData("--from", "b")]
    [InlineData("--empty", null)]
    public async Task Data_that_would_be_overwritten_is_refused(string option, string? value)
    {
        MakeDisk(Disk);
        Run("mkfs.ext4", "-q", Disk);

        MirrorctlRun run = await Create("mail", value is null ? [option] : [option, value]);

        Assert.StartsWith($"mirrorctl: {Disk} holds ext4, which would be overwritten; ", run.Error);
        Assert.Equal(ExitCode.Failed, run.ExitCode);
    }

    [Theory]
    [InlineData("mkfs.ext4", "-q")]
    [InlineData("mkfs.xfs", "-q")]
    public async Task A_file_system_that_reaches_to_the_end_leaves_no_room_for_metadata(
        string tool, string option)
    {
        MakeDisk(Disk, 512 << 20);
        Run(tool, option, Disk);

        MirrorctlRun run = await Create("mail", "--from", "a", "--overwrite");

        Assert.Contains($"{tool[5..]} of 512 MiB, and the metadata needs the last ", run.Error);
        Assert.Contains("name a device or file of its own in the configuration", run.Error);
        Assert.Equal(ExitCode.Failed, run.ExitCode);
        Run("blkid", "-p", Disk);
    }

    [Fact]
    public async Task A_file_system_that_ends_early_is_adopted_in_place()
    {
        MakeDisk(Disk);
        Run("mkfs.ext4", "-q", Disk, "60M");
        byte[] before = ReadData(60 << 20);

        MirrorctlRun run = await Create("mail", "--from", "a");

        Assert.Equal("", run.Error);
        Assert.Equal(before, ReadData(60 << 20));
        Assert.Equal(CreationSource.Self, ReadSuperblock().CreationSource);
    }

    [Fact]
    public async Task A_file_system_is_adopted_whole_with_metadata_of_its_own_file()
    {
        MakeDisk(Disk + ".web");
        Run("mkfs.ext4", "-q", Disk + ".web");
        byte[] before = File.ReadAllBytes(Disk + ".web");

        MirrorctlRun run = await Create("web", "--from", "a");

        Assert.Equal("", run.Error);
        Assert.Equal(before, File.ReadAllBytes(Disk + ".web"));
        Assert.Equal(
            MetadataPlacement.External(DiskBytes).MetadataBytes, new FileInfo(Disk + ".meta").Length);
    }

    [Fact]
    public async Task Empty_volumes_are_zeroed()
    {
        File.WriteAllBytes(Disk, [.. Enumerable.Repeat((byte)0xa5, (int)DiskBytes)]);

        MirrorctlRun run = await Create("mail", "--empty");

        Assert.Equal("", run.Error);
        AssertZero(ReadData((int)MetadataPlacement.Internal(DiskBytes).DataBytes));
    }

    [Fact]
    public async Task A_file_that_is_missing_or_in_use_or_too_small_is_refused()
    {
        MirrorctlRun missing = await Create("mail", "--empty");
        MakeDisk(Disk, 8192);
        MirrorctlRun small = await Create("mail", "--empty");
        MakeDisk(Disk);
        MirrorctlRun used;
        using (new FileStream(Disk, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            used = await Create("mail", "--empty");
        }

        Assert.StartsWith($"mirrorctl: {Disk} does not exist; make it with its size", missing.Error);
        Assert.StartsWith($"mirrorctl: {Disk} is too small with 8 KiB; it needs ", small.Error);
        Assert.Contains("it is in use by another process", used.Error);
        Assert.Contains("end that use first", used.Error);
        Assert.Equal([1, 1, 1], [missing.ExitCode, small.ExitCode, used.ExitCode]);
        AssertUntouched();
    }

    [Fact]
    public async Task A_resource_that_is_not_there_is_named_with_those_that_are()
    {
        MirrorctlRun run = await Create("mial", "--empty");

        Assert.Equal("mirrorctl: the configuration has no resource 'mial'; it has mail, web\n", run.Error);
    }

    public void Dispose() => _directory.Dispose();

    private static void MakeDisk(string path, long bytes = DiskBytes)
    {
        using FileStream file = File.Create(path);
        file.SetLength(bytes);
    }

    private static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program}: {errors.Result}");
    }

    private Task<MirrorctlRun> Create(string resource, params string[] options) => MirrorctlRun.Of(
    [
        "create", resource, .. options, "--config", _directory.At("mirrord.yaml"), "--node-name", "a",
        "--state-dir", _directory.At("state"),
    ]);

    private byte[] ReadData(int bytes)
    {
        using FileStream file = File.OpenRead(Disk);
        var data = new byte[bytes];
        file.ReadExactly(data);
        return data;
    }

    private Superblock ReadSuperblock()
    {
        using FileStream file = File.OpenRead(Disk);
        var block = new byte[SuperblockCodec.LengthBytes];
        for (int slot = 0; slot < MetadataLayout.SuperblockSlots; slot++)
        {
            long area = MetadataPlacement.Internal(file.Length).MetadataOffset;
            file.Seek(area + MetadataLayout.SuperblockOffset(slot), SeekOrigin.Begin);
            file.ReadExactly(block);
            if (SuperblockCodec.TryDecode(block).Superblock is { } superblock)
            {
                return superblock;
            }
        }

        throw new InvalidDataException("there is no superblock");
    }

    private static void AssertZero(byte[] data) => Assert.False(data.AsSpan().ContainsAnyExcept((byte)0));

    private void AssertUntouched() => AssertZero(File.ReadAllBytes(Disk));
}
