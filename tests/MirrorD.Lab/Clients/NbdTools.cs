using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Clients;

/// <summary>The usual NBD clients, pointed at an export on a unix socket.</summary>
public static class NbdTools
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    /// <summary>URI of the default export of a socket.</summary>
    public static string Uri(string socket) => $"nbd+unix:///?socket={socket}";

    /// <summary>nbdinfo, with more options when given.</summary>
    public static ToolResult Info(string socket, params string[] options) =>
        Tool.Run("nbdinfo", [.. options, Uri(socket)]);

    /// <summary>nbdcopy between files and exports (their URIs).</summary>
    public static ToolResult Copy(string from, string to) =>
        Tool.RunWithin(Deadline, "nbdcopy", "--flush", from, to);

    /// <summary>qemu-img convert of raw images, to an existing target.</summary>
    public static ToolResult Convert(string from, string to) =>
        Tool.RunWithin(Deadline, "qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", from, to);

    /// <summary>qemu-img compare of raw images: exit status 0 when identical.</summary>
    public static ToolResult Compare(string one, string other) =>
        Tool.RunWithin(Deadline, "qemu-img", "compare", "-f", "raw", "-F", "raw", one, other);

    /// <summary>qemu-io with commands, e.g. "write -P 7 0 64k".</summary>
    public static ToolResult QemuIo(string socket, params string[] commands) =>
        Tool.RunWithin(
            Deadline, "qemu-io",
            ["-f", "raw", .. commands.SelectMany(command => (string[])["-c", command]), Uri(socket)]);

    /// <summary>
    /// fio's arguments for random I/O verified by crc32c: clients with a connection and an area each.
    /// </summary>
    public static string[] FioVerify(string socket, int clients, long bytesPerClient, int? seconds = null) =>
    [
        "--name=mirror", "--ioengine=nbd", $"--uri={Uri(socket)}", "--rw=randrw", "--bsrange=4k-64k",
        "--iodepth=8", $"--numjobs={clients}",
        $"--size={bytesPerClient}", $"--offset_increment={bytesPerClient}",
        "--verify=crc32c", "--verify_fatal=1", "--verify_state_save=0", "--group_reporting", "--fsync=64",
        .. seconds is int runtime
            ? (string[])["--time_based", $"--runtime={runtime}", "--verify_backlog=64"]
            : ["--do_verify=1"],
    ];

    /// <summary>Runs fio to its end.</summary>
    public static ToolResult Fio(params string[] arguments) => Tool.RunWithin(Deadline, "fio", arguments);
}
