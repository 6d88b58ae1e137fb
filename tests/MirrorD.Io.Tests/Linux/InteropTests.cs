using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Tests.Linux;

public sealed class InteropTests : IDisposable
{
    private const string Remedy =
        "the C compiler or headers are missing: apt-get install gcc libc6-dev libssl-dev linux-libc-dev";

    private static readonly Type[] Declarations =
        [.. typeof(UringLoop).Assembly.GetTypes().Where(type => type.Namespace == typeof(Fs).Namespace)];

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Every_declaration_agrees_with_the_C_headers_of_this_system()
    {
        List<string> files = [];
        foreach (Type declaration in Declarations.Where(type => type.IsDefined(typeof(CHeaderAttribute))))
        {
            files.Add(Write(declaration.Name, CAssertions.FileFor(declaration)));
        }

        Assert.True(files.Count > 25, $"only {files.Count} declarations were found");
        AssertCompiles(files);
    }

    [Fact]
    public void Error_numbers_agree_with_the_C_headers_of_this_system()
    {
        var header = new CHeaderAttribute("errno.h");
        AssertCompiles(
        [
            Write("contract", CAssertions.FileFor(typeof(Errno), header)),
            Write("linux", CAssertions.FileFor(typeof(LinuxError), header)),
        ]);
    }

    [Fact]
    public void Every_struct_and_constant_names_its_header()
    {
        IEnumerable<Type> unnamed = Declarations.Where(type =>
            !type.IsDefined(typeof(CHeaderAttribute)) && !type.IsNested
            && !type.IsAssignableTo(typeof(Attribute)) && !type.Name.StartsWith('<'));
        Assert.Empty(unnamed);
    }

    [Fact]
    public void A_wrong_declaration_does_not_compile()
    {
        string file = Write(
            "wrong", CAssertions.FileFor(typeof(WrongStruct)) + CAssertions.FileFor(typeof(WrongConstant)));
        (int status, string output) = Compile([file]);
        Assert.NotEqual(0, status);
        Assert.Contains("C# has 8 bytes for struct epoll_event", output, StringComparison.Ordinal);
        Assert.Contains("C# has offset 0 for struct epoll_event.data", output, StringComparison.Ordinal);
        Assert.Contains("C# has 0 for EPOLLIN", output, StringComparison.Ordinal);
    }

    private static void AssertCompiles(IEnumerable<string> files)
    {
        (int status, string output) = Compile(files);
        Assert.True(status == 0, output);
    }

    private string Write(string name, string text)
    {
        string file = _directory.File($"{name}.c");
        File.WriteAllText(file, text);
        return file;
    }

    private static (int Status, string Output) Compile(IEnumerable<string> files)
    {
        string native = Path.Combine(RepositoryRoot(), "native");
        var start = new ProcessStartInfo("cc", ["-std=gnu11", "-fsyntax-only", "-I", native, .. files])
        {
            RedirectStandardError = true,
        };
        try
        {
            using Process compiler = Process.Start(start)!;
            string output = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            Assert.False(output.Contains("No such file", StringComparison.Ordinal), $"{Remedy}\n{output}");
            return (compiler.ExitCode, output);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException(Remedy, e);
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

    [CHeader("sys/epoll.h", Type = "struct epoll_event")]
    [StructLayout(LayoutKind.Sequential)]
    private struct WrongStruct
    {
        public uint data;
        public uint events;
    }

    [CHeader("sys/epoll.h")]
    private static class WrongConstant
    {
        public const int EPOLLIN = 0;
    }
}
