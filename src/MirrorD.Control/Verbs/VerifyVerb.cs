using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("verify", HelpText = "Compare both copies while they are in use; 'status' shows how far it is and what it found.")]
internal sealed class VerifyVerb : ResourceVerb
{
    [Option("repair", HelpText = "Copy what differs from the Primary to its peer.", SetName = "begin")]
    public bool Repair { get; set; }

    [Option("stop", HelpText = "End the one that runs.", SetName = "end")]
    public bool Stop { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        return Report(
            Stop ? await daemon.Command(ApiPaths.For(ApiPaths.StopVerify, Resource), null, stop)
                : await daemon.Command(ApiPaths.For(ApiPaths.Verify, Resource),
                    new VerifyRequest { Repair = Repair }, ApiJson.Compact.VerifyRequest, stop),
            context);
    }
}
