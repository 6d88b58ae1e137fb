using System.Globalization;
using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("keys", HelpText = "keys show: which keys a node has. keys rotate: new keys for all nodes, while everything runs. "
    + "keys renew: a new certificate for this node only.")]
internal sealed class KeysVerb : DaemonVerb
{
    [Value(0, Required = true, MetaName = "show|rotate|renew", HelpText = "What to do.")]
    public string Action { get; set; } = "";

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        switch (Action)
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
            default:
                throw new CommandFailure(
                    ExitCode.Usage, $"there is no 'keys {Action}'", "mirrorctl keys show, keys rotate, or keys renew");
        }
    }
}
