using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CommandLine;
using MirrorD.Api;
using MirrorD.Configuration.Identity;

namespace MirrorD.Control.Verbs;

[Verb("keys", HelpText = "keys show: which keys a node has. keys rotate: new keys for all nodes, while everything runs. "
    + "keys renew: a new certificate for this node only. "
    + "keys revoke FILE|HASH: a client's key is no longer good.")]
internal sealed class KeysVerb : DaemonVerb
{
    [Value(0, Required = true, MetaName = "show|rotate|renew|revoke", HelpText = "What to do.")]
    public string Action { get; set; } = "";

    [Value(1, MetaName = "key", HelpText = "With revoke: the certificate as a file, or the hash of its key.")]
    public string? Key { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        switch (Action + (Key is null ? "" : " KEY"))
        {
            case "show":
                KeysReport keys = await daemon.Get(ApiPaths.Keys, ApiJson.Compact.KeysReport, stop);
                context.Out.WriteLine($"node:         {keys.Node}");
                context.Out.WriteLine(
                    $"certificate:  {keys.Certificate}, valid until "
                    + keys.ValidUntil.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture));
                context.Out.WriteLine(
                    $"heartbeats:   {keys.Sending}{(keys.Accepting is { } other ? $", {other} is accepted, too" : "")}");
                return ExitCode.Ok;
            case "rotate":
                return Report(await daemon.Command(ApiPaths.RotateKeys, null, stop), context);
            case "renew":
                return Report(await daemon.Command(ApiPaths.RenewKeys, null, stop), context);
            case "revoke KEY":
                return Report(
                    await daemon.Command(
                        ApiPaths.RevokeKey, new RevokeRequest { Key = HashOf(Key!) }, ApiJson.Compact.RevokeRequest, stop),
                    context);
            default:
                throw new CommandFailure(
                    ExitCode.Usage, $"this is no command: keys {Action} {Key}".TrimEnd(),
                    "mirrorctl keys show, keys rotate, keys renew, or keys revoke FILE|HASH");
        }
    }

    private static string HashOf(string key)
    {
        if (key.Length == 64 && key.All(char.IsAsciiHexDigit))
        {
            return key.ToLowerInvariant();
        }

        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(key);
            return ClientCertificate.Read(certificate)?.KeyHash
                ?? throw new CryptographicException("it is not that of a client (keys of nodes: 'mirrorctl keys renew' there)");
        }
        catch (Exception unusable) when (unusable is CryptographicException or ArgumentException or IOException)
        {
            throw new CommandFailure(
                ExitCode.Usage, $"'{key}' is no certificate to take back: {unusable.Message.TrimEnd('.')}",
                "name the client-cert.pem whose key is to be taken back, or the hash of the key (64 hexadecimal digits)");
        }
    }
}
