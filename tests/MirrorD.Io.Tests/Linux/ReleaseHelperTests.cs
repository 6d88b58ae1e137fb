using System.Diagnostics;

namespace MirrorD.Io.Tests.Linux;

/// <summary>systemd/mirrord-release, in a network namespace of its own.</summary>
public sealed class ReleaseHelperTests : IDisposable
{
    private const string SystemPath = "/usr/sbin:/usr/bin:/sbin:/bin";

    private readonly NetworkNamespace _node = new();
    private readonly TemporaryDirectory _run = new();
    private readonly Process _daemon = Process.Start("sleep", "600");

    public ReleaseHelperTests()
    {
        _node.AddInterface("prod");
        _node.Ip("addr", "add", "10.98.1.10/24", "dev", "prod");
        _node.Ip("addr", "add", "fd00:98::10/128", "dev", "prod");
        _node.Ip("addr", "add", "10.98.2.2/32", "dev", "prod");
        _node.Ip("addr", "add", "10.98.1.10/32", "dev", "prod-end");
        Directory.CreateDirectory(_run.File("mail"));
    }

    private string ListFile => _run.File("mail/held-addresses");

    private bool HasAddresses => Shown.Contains("inet 10.98.1.10/24 ", StringComparison.Ordinal)
        && Shown.Contains("inet6 fd00:98::10/128 ", StringComparison.Ordinal);

    private bool HasNoneOfThem => !Shown.Contains("10.98.1.10", StringComparison.Ordinal)
        && !Shown.Contains("fd00:98::10", StringComparison.Ordinal)
        && Shown.Contains("inet 10.98.2.2/32 ", StringComparison.Ordinal)
        && _node.Ip("addr", "show", "dev", "prod-end").Contains("10.98.1.10", StringComparison.Ordinal);

    private string Shown => _node.Ip("addr", "show", "dev", "prod");

    public void Dispose()
    {
        Kill();
        _daemon.Dispose();
        _node.Dispose();
        _run.Dispose();
    }

    [RootFact("ip")]
    public void A_living_process_is_left_alone_at_once()
    {
        Write(_daemon.Id, StartOf(_daemon));
        Result result = Release("--grace", "600");
        Assert.Equal(0, result.Status);
        Assert.Equal($"mail: process {_daemon.Id} runs, left alone\n", result.Output);
        Assert.True(HasAddresses);
        Assert.True(File.Exists(ListFile));

        Command.Run("kill", "-STOP", $"{_daemon.Id}"); // Stopped is not dead.
        Assert.Equal(result.Output, Release("--grace", "600").Output);
    }

    [RootFact("ip")]
    public void A_dead_process_loses_its_addresses_and_nothing_else_goes()
    {
        Write(_daemon.Id, StartOf(_daemon));
        Kill();
        Result result = Release("--grace", "0.4");
        Assert.Equal("", result.Errors);
        Assert.Equal(0, result.Status);
        const string removed =
            "mail: removed 10.98.1.10/24 from prod\nmail: removed fd00:98::10/128 from prod\n";
        Assert.Equal(removed, result.Output);
        Assert.True(HasNoneOfThem, Shown);
        Assert.Empty(Directory.GetFiles(_run.File("mail")));
        Assert.InRange(result.Seconds, 0.4, 20);

        Assert.Equal(new Result(0, "", "", 0), Release() with { Seconds = 0 }); // Nothing left to do.
    }

    [RootFact("ip")]
    public void A_later_process_with_the_same_number_is_not_the_one_that_died()
    {
        Write(_daemon.Id, StartOf(_daemon) - 1);
        Assert.Equal(0, Release("--grace", "0").Status);
        Assert.True(HasNoneOfThem, Shown);
    }

    [RootFact("ip")]
    public void The_grace_is_what_the_daemon_left_in_its_directory()
    {
        Write(1, 1);
        File.WriteAllText(_run.File("dead-after"), "0.90\n");
        Result result = Release();
        Assert.Equal(0, result.Status);
        Assert.InRange(result.Seconds, 0.9, 4.5);
        Assert.True(HasNoneOfThem, Shown);

        Write(1, 1);
        File.WriteAllText(_run.File("dead-after"), "soon\n");
        result = Release();
        Assert.InRange(result.Seconds, 5, 20);
        Assert.Contains("dead-after: not a number of seconds: soon", result.Errors, StringComparison.Ordinal);
    }

    [RootTheory("ip")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_new_daemon_that_comes_in_time_is_left_alone(bool holds)
    {
        Write(1, 1);
        using Process helper = Start("--grace", "600");
        WaitUntilItSleeps(helper);
        if (holds)
        {
            Write(_daemon.Id, StartOf(_daemon));
        }
        else
        {
            File.Delete(ListFile);
        }

        Result result = End(helper);
        Assert.Equal(0, result.Status);
        Assert.Equal(holds ? $"mail: process {_daemon.Id} runs, left alone\n" : "", result.Output);
        Assert.True(HasAddresses);
        Assert.Equal(holds, File.Exists(ListFile));
    }

    [RootFact("ip")]
    public void What_an_interrupted_run_left_is_removed_unless_a_new_daemon_holds_it()
    {
        Write(1, 1);
        File.Move(ListFile, $"{ListFile}.1");
        Write(_daemon.Id, StartOf(_daemon));
        Result result = Release("--grace", "0");
        string expected = $"a new process {_daemon.Id} holds the addresses now";
        Assert.Contains(expected, result.Output, StringComparison.Ordinal);
        Assert.True(HasAddresses);
        Assert.Equal([ListFile], Directory.GetFiles(_run.File("mail")));

        File.Move(ListFile, $"{ListFile}.1");
        Write(1, 1);
        File.Move(ListFile, $"{ListFile}.1", overwrite: true);
        Assert.Equal(0, Release("--grace", "0").Status);
        Assert.True(HasNoneOfThem, Shown);
        Assert.Empty(Directory.GetFiles(_run.File("mail")));
    }

    [RootTheory("ip")]
    [InlineData("")]
    [InlineData("mirrord-held 2 1 1\nprod 10.98.1.10/24\n")]
    [InlineData("mirrord-held 1 1\nprod 10.98.1.10/24\n")]
    [InlineData("mirrord-held 1 one 1\nprod 10.98.1.10/24\n")]
    [InlineData("mirrord-held 1 1 1 1\nprod 10.98.1.10/24\n")]
    public void A_list_of_nobody_is_left_alone_and_named(string text)
    {
        File.WriteAllText(ListFile, text);
        Result result = Release("--grace", "0");
        Assert.Equal(1, result.Status);
        Assert.Contains($"{ListFile}: its first line is not", result.Errors, StringComparison.Ordinal);
        Assert.True(HasAddresses);
        Assert.True(File.Exists(ListFile));
    }

    [RootFact("ip")]
    public void A_line_that_cannot_be_understood_is_named_and_the_others_are_done()
    {
        File.WriteAllText(
            ListFile, "mirrord-held 1 1 1\nprod\nprod 10.98.1.10/24\nprod elsewhere/32\nprod fd00:98::10/128");
        Result result = Release("--grace", "0");
        Assert.Equal(1, result.Status);
        Assert.Contains("not 'INTERFACE ADDRESS/PREFIX': prod ", result.Errors, StringComparison.Ordinal);
        Assert.Contains("cannot look for elsewhere on prod", result.Errors, StringComparison.Ordinal);
        Assert.Contains($"what remains is listed in {ListFile}.1", result.Errors, StringComparison.Ordinal);
        Assert.True(HasNoneOfThem, Shown);
        Assert.True(File.Exists($"{ListFile}.1"));
    }

    [RootFact("ip")]
    public void An_address_or_interface_that_is_not_there_is_no_error()
    {
        File.WriteAllText(ListFile, "mirrord-held 1 1 1\nprod 10.98.1.99/32\nabsent fd00:98::99/128\n");
        Result result = Release("--grace", "0");
        Assert.Equal(0, result.Status);
        Assert.Equal("mail: 10.98.1.99 was not on prod\nmail: fd00:98::99 was not on absent\n", result.Output);
        Assert.Empty(Directory.GetFiles(_run.File("mail")));
    }

    [RootFact("ip")]
    public void An_address_that_remains_is_an_error_with_its_cause_and_the_next_run_tries_again()
    {
        Write(1, 1);
        string commands = MakeCommands("cat", "sleep", "mv", "rm", "ln");
        Result result = Release(commands, "--grace", "0");
        Assert.Equal(1, result.Status);
        Assert.Contains("the command ip is missing", result.Errors, StringComparison.Ordinal);

        string ip = Path.Combine(commands, "ip");
        File.WriteAllText(ip, $$"""
            #!/bin/sh
            [ $2 != del ] || { echo no luck; exit 2; }
            PATH={{SystemPath}}
            exec ip "$@"
            """);
        Command.Run("chmod", "755", ip);
        result = Release(commands, "--grace", "0");
        Assert.Equal(1, result.Status);
        foreach (string address in new[] { "10.98.1.10", "fd00:98::10" })
        {
            string expected = $"mail: {address} could not be removed from prod: no luck";
            Assert.Contains(expected, result.Errors, StringComparison.Ordinal);
        }

        Assert.True(HasAddresses);

        Assert.Equal(0, Release("--grace", "0").Status);
        Assert.True(HasNoneOfThem, Shown);
        Assert.Empty(Directory.GetFiles(_run.File("mail")));
    }

    [RootFact("ip")]
    public void A_wrong_call_is_refused()
    {
        Assert.Equal(2, Release("--grace", "soon").Status);
        Assert.Equal(2, Release("--grace").Status);
        Assert.Equal(2, Release("--force").Status);
    }

    private static long StartOf(Process process)
    {
        string[] words = File.ReadAllText($"/proc/{process.Id}/stat").Split(' ');
        return long.Parse(words[21], System.Globalization.CultureInfo.InvariantCulture);
    }

    private void Kill()
    {
        _daemon.Kill();
        _daemon.WaitForExit();
    }

    private void Write(int process, long start)
    {
        string text = $"mirrord-held 1 {process} {start}\nprod 10.98.1.10/24\nprod fd00:98::10/128\n";
        File.WriteAllText($"{ListFile}.new", text);
        File.Move($"{ListFile}.new", ListFile, overwrite: true);
    }

    private string MakeCommands(params string[] names)
    {
        string directory = _run.File(".commands");
        Directory.CreateDirectory(directory);
        foreach (string name in names)
        {
            File.CreateSymbolicLink(Path.Combine(directory, name), $"/bin/{name}");
        }

        return directory;
    }

    private Result Release(params string[] arguments)
    {
        string? path = arguments.FirstOrDefault(argument => argument.StartsWith('/'));
        using Process helper = Start([.. arguments.Where(argument => argument != path)], path);
        return End(helper);
    }

    private Process Start(params string[] arguments) => Start(arguments, path: null);

    private Process Start(string[] arguments, string? path)
    {
        string script = Path.Combine(RepositoryRoot(), "systemd", "mirrord-release");
        var start = new ProcessStartInfo(
            "/usr/bin/nsenter", [_node.EnterOption, "/bin/sh", script, _run.Path, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = path ?? SystemPath;
        return Process.Start(start)!;
    }

    private static Result End(Process helper)
    {
        var clock = Stopwatch.StartNew();
        Task<string> errors = helper.StandardError.ReadToEndAsync();
        Task<string> output = helper.StandardOutput.ReadToEndAsync();
        bool hasEnded = helper.WaitForExit(TimeSpan.FromSeconds(30));
        if (!hasEnded)
        {
            helper.Kill(entireProcessTree: true);
        }

        Assert.True(hasEnded, "waited 30 s for the end of mirrord-release");
        return new Result(helper.ExitCode, output.Result, errors.Result, clock.Elapsed.TotalSeconds);
    }

    // Its child sleeps once it has seen the dead process.
    private static void WaitUntilItSleeps(Process helper)
    {
        string children = $"/proc/{helper.Id}/task/{helper.Id}/children";
        long startTicks = Environment.TickCount64;
        while (!File.ReadAllText(children).Split(' ', StringSplitOptions.RemoveEmptyEntries).Any(IsSleep))
        {
            bool isLate = Environment.TickCount64 - startTicks > 20_000;
            Assert.False(isLate, "waited 20 s for mirrord-release to sleep");
        }
    }

    private static bool IsSleep(string process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/comm").Trim() == "sleep";
        }
        catch (IOException)
        {
            return false; // It has ended meanwhile.
        }
    }

    private static string RepositoryRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "MirrorD.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return directory ?? throw new InvalidOperationException("No directory above has MirrorD.sln.");
    }

    private sealed record Result(int Status, string Output, string Errors, double Seconds);
}
