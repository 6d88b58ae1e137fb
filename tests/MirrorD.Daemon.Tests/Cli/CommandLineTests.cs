using MirrorD.Control;

namespace MirrorD.Daemon.Tests.Cli;

public class CommandLineTests
{
    [Theory]
    [InlineData("statsu", "mirrorctl: there is no command 'statsu'; did you mean 'status'?")]
    [InlineData("frobnicate", "mirrorctl: there is no command 'frobnicate'; the commands are status, ")]
    [InlineData("status --jsn", "mirrorctl: there is no option 'jsn' here; see 'mirrorctl help'")]
    [InlineData(
        "promote", "mirrorctl: an argument is missing, e.g. the name of the resource; see 'mirrorctl help'")]
    [InlineData("status --socket", "mirrorctl: the option --socket needs a value")]
    [InlineData("cluster issue b --out", "mirrorctl: the option --out needs a value")]
    [InlineData("config chek", "mirrorctl: there is no 'config chek'; did you mean 'config check'?")]
    [InlineData("split-brain exprot mail", "mirrorctl: this is no command: split-brain exprot; mirrorctl split-brain show|")]
    [InlineData("split-brain export mail --discard b", "mirrorctl: this is no command: split-brain export --discard; ")]
    [InlineData("events --after x", "mirrorctl: the value of --after has a wrong form; see 'mirrorctl help'")]
    public async Task A_wrong_command_line_is_told_with_exit_code_2(string line, string error)
    {
        MirrorctlRun run = await MirrorctlRun.Of(line.Split(' '));

        Assert.StartsWith(error, run.Error);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
    }

    [Theory]
    [InlineData("detach mail/data")]
    [InlineData("attach mail/data")]
    public async Task The_disks_of_a_resource_go_together(string line)
    {
        MirrorctlRun run = await MirrorctlRun.Of(line.Split(' '));

        Assert.Equal("mirrorctl: the disks of a resource are used together, not that of volume data alone; name the "
            + "resource: mail", run.Error.Trim());
        Assert.Equal(ExitCode.Usage, run.ExitCode);
    }

    [Fact]
    public async Task Without_arguments_the_commands_are_listed()
    {
        MirrorctlRun run = await MirrorctlRun.Of();

        Assert.Contains("switchover", run.Output);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
    }

    [Theory]
    [InlineData("help promote")]
    [InlineData("promote --help")]
    public async Task Help_shows_the_options_of_a_command(string line)
    {
        MirrorctlRun run = await MirrorctlRun.Of(line.Split(' '));

        Assert.Contains("--force", run.Output);
        Assert.Equal(ExitCode.Ok, run.ExitCode);
    }

    [Theory]
    [InlineData("status --socket /nonexistent/x.sock")]
    [InlineData("--socket /nonexistent/x.sock status")]
    [InlineData("--socket=/nonexistent/x.sock switchover mail")]
    [InlineData("events --follow --socket /nonexistent/x.sock")]
    public async Task A_daemon_that_is_not_there_gives_exit_code_3(string line)
    {
        MirrorctlRun run = await MirrorctlRun.Of(line.Split(' '));

        Assert.Equal(
            "mirrorctl: the daemon can't be reached at /nonexistent/x.sock: it is not there; start the " +
            "daemon with " +
            "'systemctl start mirrord', or name its socket with --socket\n",
            run.Error);
        Assert.Equal(ExitCode.Unreachable, run.ExitCode);
    }

    [Fact]
    public async Task Version_works_without_a_daemon()
    {
        MirrorctlRun run = await MirrorctlRun.Of("version", "--socket", "/nonexistent/x.sock");

        Assert.Matches(@"^mirrorctl \d+\.\d+\.\d+\n", run.Output);
        Assert.Equal(ExitCode.Ok, run.ExitCode);
    }

    [Fact]
    public async Task A_clients_keys_are_made_for_their_owner_only_and_never_overwritten()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.At("mirrord.yaml"), """
            nodes: {a: {dedicated: {address: 127.0.0.1}}, b: {dedicated: {address: 127.0.0.2}}}
            resources: {}
            """);
        string[] state = ["--state-dir", directory.At("a")];
        string[] words = ["cluster", "issue-client", "backup", "--out", directory.At("keys"), .. state];
        MirrorctlRun without = await MirrorctlRun.Of(words);
        Assert.Equal(ExitCode.Failed, without.ExitCode);
        Assert.False(Directory.Exists(directory.At("keys")));
        await MirrorctlRun.Of(["cluster", "init", "--config", directory.At("mirrord.yaml"), "--node-name", "a", .. state]);

        MirrorctlRun made = await MirrorctlRun.Of(words);
        string[] files = [.. Directory.EnumerateFiles(directory.At("keys")).Order(StringComparer.Ordinal)];
        string before = string.Concat(files.Select(File.ReadAllText));
        MirrorctlRun again = await MirrorctlRun.Of(words);
        MirrorctlRun badName = await MirrorctlRun.Of(
            ["cluster", "issue-client", "a/b", "--out", directory.At("other"), .. state]);

        Assert.Equal(("", ExitCode.Ok), (made.Error, made.ExitCode));
        Assert.Equal(["ca-cert.pem", "client-cert.pem", "client-key.pem"], files.Select(Path.GetFileName));
        Assert.All(files, file => Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        Assert.Equal(ExitCode.Failed, again.ExitCode);
        Assert.Contains("ca-cert.pem is there already", again.Error);
        Assert.Equal(before, string.Concat(files.Select(File.ReadAllText)));
        Assert.Equal(ExitCode.Usage, badName.ExitCode);
        Assert.False(Directory.Exists(directory.At("other")));
    }

    [Fact]
    public async Task A_cluster_is_made_with_keys_for_their_owner_only_and_never_overwritten()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.At("mirrord.yaml"), """
            nodes: {a: {dedicated: {address: 127.0.0.1}}, b: {dedicated: {address: 127.0.0.2}}}
            resources: {}
            """);
        string[] options = ["--config", directory.At("mirrord.yaml"), "--node-name", "a", "--state-dir", directory.At("a")];

        MirrorctlRun made = await MirrorctlRun.Of(["cluster", "init", .. options]);
        MirrorctlRun issued = await MirrorctlRun.Of(["cluster", "issue", "b", "--out", directory.At("b"), .. options]);
        string[] files = [.. Directory.EnumerateFiles(directory.At("a"), "*", SearchOption.AllDirectories).Order()];
        string before = string.Concat(files.Select(File.ReadAllText));
        MirrorctlRun again = await MirrorctlRun.Of(["cluster", "init", .. options]);
        MirrorctlRun issuedAgain = await MirrorctlRun.Of(["cluster", "issue", "b", "--out", directory.At("b"), .. options]);

        Assert.Equal(("", "", ExitCode.Ok), (made.Error, issued.Error, made.ExitCode));
        foreach (string node in (string[])["a", "b"])
        {
            foreach (string secret in (string[])["cluster.key", "identity/authority.key", "identity/node.pem"])
            {
                Assert.Equal(
                    UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory.At($"{node}/{secret}")));
            }
        }

        Assert.Equal(File.ReadAllText(directory.At("a/cluster.key")), File.ReadAllText(directory.At("b/cluster.key")));
        Assert.Equal(
            File.ReadAllText(directory.At("a/identity/authority.crt")), File.ReadAllText(directory.At("b/identity/authority.crt")));
        Assert.NotEqual(File.ReadAllText(directory.At("a/node-id")), File.ReadAllText(directory.At("b/node-id")));
        Assert.All((MirrorctlRun[])[again, issuedAgain], run =>
        {
            Assert.Contains("belongs to a member of a cluster already", run.Error);
            Assert.Equal(ExitCode.Failed, run.ExitCode);
        });
        Assert.Equal(before, string.Concat(files.Select(File.ReadAllText)));
    }

    [Fact]
    public async Task Config_check_shows_every_mistake()
    {
        using var directory = new TemporaryDirectory();
        string file = directory.At("mirrord.yaml");
        File.WriteAllText(file, "nodes:\n  a: {dedicated: {adress: 10.0.0.1}}\nresource: {}\n");

        MirrorctlRun run = await MirrorctlRun.Of("config", "check", "--config", file);

        Assert.Equal(
            $"{file}:2: unknown key 'adress' in nodes.a.dedicated; did you mean 'address'?\n" +
            $"{file}:2: nodes.a.dedicated has no 'address'; add e.g. 'address: 10.0.0.1'\n" +
            $"{file}:3: unknown key 'resource' in the configuration; did you mean 'resources'?\n" +
            $"mirrorctl: 3 mistake(s) in {file}; nothing uses this file until they are gone\n",
            run.Error);
        Assert.Equal(ExitCode.Failed, run.ExitCode);
    }

    [Fact]
    public async Task Config_check_of_a_good_file_says_so()
    {
        using var directory = new TemporaryDirectory();
        string file = directory.At("mirrord.yaml");
        File.WriteAllText(file, "nodes: {a: {dedicated: {address: 10.0.0.1}}}\n");

        MirrorctlRun run = await MirrorctlRun.Of("--config", file, "config", "check");

        Assert.Equal($"{file}: good; 1 nodes, 0 resources\n", run.Output);
        Assert.Equal(ExitCode.Ok, run.ExitCode);
    }
}
