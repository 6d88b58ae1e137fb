using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Clients;

/// <summary>The usual NBD clients on a host of the lab, over TCP with TLS.</summary>
/// <param name="host">Where they run.</param>
/// <param name="server">Address of the server.</param>
/// <param name="keys">Directory with ca-cert.pem, client-cert.pem and client-key.pem.</param>
/// <param name="serverName">Name that the server's certificate has to bear.</param>
public sealed class NbdTlsClient(Host host, string server, string keys, string serverName)
{
    /// <summary>The directory with the keys.</summary>
    public string Keys => keys;

    /// <summary>Name of the export.</summary>
    public string Export { get; init; } = "mail/data";

    /// <summary>URI for libnbd, which takes the name of the host for that of the certificate.</summary>
    public string Uri => $"nbds://{serverName}/{Export}?tls-certificates={keys}";

    /// <summary>The options of the qemu tools that say where the export is, before the command's own.</summary>
    public string[] QemuKeys => ["--object", $"tls-creds-x509,id=keys,endpoint=client,dir={keys},verify-peer=yes"];

    /// <summary>The export for the qemu tools.</summary>
    public string QemuImage =>
        $"driver=raw,file.driver=nbd,file.server.type=inet,file.server.host={server},file.server.port=10809,"
        + $"file.export={Export},file.tls-creds=keys,file.tls-hostname={serverName}";

    /// <summary>nbdinfo.</summary>
    public ToolResult Info(params string[] options) => WithNames("nbdinfo", [.. options, Uri]);

    /// <summary>nbdcopy to the export.</summary>
    public ToolResult CopyFrom(string file) => WithNames("nbdcopy", "--flush", file, Uri);

    /// <summary>nbdcopy from the export.</summary>
    public ToolResult CopyTo(string file) => WithNames("nbdcopy", Uri, file);

    /// <summary>qemu-io with commands.</summary>
    public ToolResult QemuIo(params string[] commands) => host.Run(
        "qemu-io",
        [.. QemuKeys, .. commands.SelectMany(command => (string[])["-c", command]), "--image-opts", QemuImage]);

    /// <summary>qemu-img compare with a raw image.</summary>
    public ToolResult QemuCompare(string image) => host.Run(
        "qemu-img", ["compare", .. QemuKeys, "--image-opts", $"driver=raw,file.driver=file,file.filename={image}", QemuImage]);

    // /etc/hosts of this command alone says where the server's name is.
    private ToolResult WithNames(string program, params string[] arguments)
    {
        string names = Path.Combine(host.Directory, $"hosts-{Guid.NewGuid():N}");
        File.WriteAllText(names, $"127.0.0.1 localhost\n{server} {serverName}\n");
        return host.Run(
            "unshare",
            ["--mount", "sh", "-c", "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"", "sh", names, program,
                .. arguments]);
    }
}
