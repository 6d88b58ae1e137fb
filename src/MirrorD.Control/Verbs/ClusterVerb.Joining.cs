using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CommandLine;
using MirrorD.Configuration;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;
using MirrorD.Configuration.Reading;

namespace MirrorD.Control.Verbs;

/// <summary>Tokens, and joining with one.</summary>
internal sealed partial class ClusterVerb
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    [Option("valid", MetaValue = "TIME", HelpText = "With token: how long it is good (1h).")]
    public string Valid { get; set; } = "1h";

    [Option("token", HelpText = "With join: what 'mirrorctl cluster token' said on a member; without it, it is asked for.")]
    public string? Token { get; set; }

    private int GiveToken(CommandContext context)
    {
        (ClusterConfiguration configuration, string node) = LoadConfiguration();
        string[] others = [.. configuration.Nodes.Keys.Where(name => name != node).Order(StringComparer.Ordinal)];
        string other = Other ?? (others is [var only] ? only : throw new CommandFailure(
            ExitCode.Usage, "the token is for which node?", $"name one of {string.Join(", ", others)}"));
        if (!others.Contains(other))
        {
            throw new CommandFailure(
                ExitCode.Failed, $"there is no other node '{other}'", $"name one of {string.Join(", ", others)}");
        }

        if (Quantities.Duration(Valid) is not { } validMs || validMs is < 60_000 or > 7 * 86_400_000L)
        {
            throw new CommandFailure(ExitCode.Usage, $"--valid: '{Valid}' is no time between a minute and a week", "e.g. --valid 2h");
        }

        IdentityDirectory identity = new StateDirectory(State).Identity;
        using ClusterAuthority authority = identity.LoadAuthority();
        DateTimeOffset until = DateTimeOffset.UtcNow + TimeSpan.FromMilliseconds(validMs);
        var token = JoinToken.Create(authority.Certificate);
        new JoinTokens(identity).Add(token, other, until);
        context.Out.WriteLine(token.ToString());
        context.Error.WriteLine(
            $"Good once, for node {other}, until {until.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}. "
            + $"Whoever has it gets the keys of this cluster. On {other}, with mirrord running here:");
        context.Error.WriteLine($"  mirrorctl cluster join {node} --token {token}");
        return ExitCode.Ok;
    }

    private async Task<int> Join(CommandContext context, string member, CancellationToken stop)
    {
        (ClusterConfiguration configuration, string node) = LoadConfiguration();
        if (member == node || !configuration.Nodes.TryGetValue(member, out NodeConfiguration? there))
        {
            throw new CommandFailure(
                ExitCode.Failed, member == node ? $"{member} is this node" : $"the configuration has no node '{member}'",
                $"name one of {string.Join(", ", configuration.Nodes.Keys.Where(name => name != node))}");
        }

        if (Token is null)
        {
            await context.Error.WriteAsync("Token: ");
            Token = (await context.In.ReadLineAsync(stop))?.Trim();
        }

        JoinToken token = JoinToken.Parse(Token ?? "") ?? throw new CommandFailure(
            ExitCode.Usage, "the token is damaged: a part of it may be missing",
            $"copy all of what 'mirrorctl cluster token' says on {member}");
        var state = new StateDirectory(State);
        ClusterMembership.RequireNone(state);
        using ECDsa key = EcKeys.Create();
        (JoinReply reply, string authority) = await Ask(there, token, new JoinRequest(
            node, state.NodeId(), Convert.ToBase64String(token.Secret),
            Convert.ToBase64String(key.ExportSubjectPublicKeyInfo())), stop);
        if (reply is not { Problem: null, Certificate: { } pem }
            || ClusterKeys.FromLines(reply.ClusterKeys ?? []) is not { } keys)
        {
            throw new CommandFailure(ExitCode.Failed, reply.Problem ?? $"node {member} gave no certificate", reply.Remedy ?? "");
        }

        NodeIdentity identity;
        try
        {
            using X509Certificate2 certificate = X509Certificate2.CreateFromPem(pem);
            identity = NodeIdentity.Of(certificate, key);
        }
        catch (CryptographicException damaged)
        {
            throw new CommandFailure(
                ExitCode.Failed, $"node {member} gave a certificate that is of no use: {damaged.Message.TrimEnd('.')}",
                "install the same release on both nodes");
        }

        ClusterMembership.Admit(
            state, authority, reply.AuthorityKey, keys, reply.Revoked ?? [], identity);
        context.Out.WriteLine(
            $"Node {node} belongs to the cluster of node {member} now; its keys are in {State}, "
            + $"valid until {identity.Says.NotAfter:yyyy-MM-dd}.");
        context.Out.WriteLine("Next: prepare its devices ('mirrorctl create'), then start mirrord.");
        return ExitCode.Ok;
    }

    /// <summary>Asks over whichever network reaches the member first.</summary>
    private static async Task<(JoinReply Reply, string Authority)> Ask(
        NodeConfiguration member, JoinToken token, JoinRequest request, CancellationToken stop)
    {
        var failures = new List<string>();
        foreach (NetworkConfiguration network in member.Dedicated.Concat(member.Production))
        {
            var endpoint = new IPEndPoint(network.Address, network.CallPort);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(s_limit);
            try
            {
                using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(endpoint, limit.Token);
                return await Ask(new NetworkStream(socket, ownsSocket: false), member.Name, token, request, limit.Token);
            }
            catch (Exception failed) when (failed is IOException or SocketException or AuthenticationException
                || (failed is OperationCanceledException && !stop.IsCancellationRequested))
            {
                string why = failed is OperationCanceledException
                    ? $"no answer within {s_limit.TotalSeconds:0} s" : (failed.InnerException ?? failed).Message.TrimEnd('.');
                failures.Add($"{endpoint}: {why}");
            }
        }

        throw new CommandFailure(
            ExitCode.Failed, $"node {member.Name} can't be asked ({string.Join("; ", failures)})",
            $"check that mirrord runs there and that a token for node {request.Node} waits there "
            + $"('mirrorctl cluster token {request.Node}')");
    }

    private static async Task<(JoinReply Reply, string Authority)> Ask(
        Stream connection, string member, JoinToken token, JoinRequest request, CancellationToken stop)
    {
        // Who answers is known only by the authority, which it says inside: until then nothing is said to it.
        byte[] answering = [];
        await using var channel = new SslStream(connection, leaveInnerStreamOpen: false);
        await channel.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = member,
                EnabledSslProtocols = SslProtocols.Tls13,
                ApplicationProtocols = [new SslApplicationProtocol(JoinExchange.Protocol)],
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                    (answering = certificate?.GetRawCertData() ?? []).Length > 0,
            },
            stop);
        JoinOffer offer = await JoinExchange.Receive(channel, JoinJson.Default.JoinOffer, stop);
        RequireMember(offer.Authority, token, answering, member);
        await JoinExchange.Send(channel, request, JoinJson.Default.JoinRequest, stop);
        return (await JoinExchange.Receive(channel, JoinJson.Default.JoinReply, stop), offer.Authority);
    }

    private static void RequireMember(string authorityPem, JoinToken token, byte[] answering, string member)
    {
        try
        {
            using X509Certificate2 authority = X509Certificate2.CreateFromPem(authorityPem);
            if (CryptographicOperations.FixedTimeEquals(JoinToken.FingerprintOf(authority), token.Fingerprint))
            {
                var trust = new ClusterTrust(
                    new X509Certificate2Collection(authority), new HashSet<string>(), new Dictionary<string, string>());
                TrustVerdict verdict = trust.Judge(answering, member, DateTimeOffset.UtcNow);
                if (verdict.Distrust == Distrust.None)
                {
                    return;
                }

                throw new CommandFailure(
                    ExitCode.Failed, $"whoever answers is not node {member}: {verdict.Problem}",
                    "check the addresses in the configuration, and the clocks");
            }
        }
        catch (CryptographicException)
        {
            // Answered below.
        }

        throw new CommandFailure(
            ExitCode.Failed, $"whoever answers at node {member}'s address does not belong to the cluster of this token",
            "check the addresses in the configuration, and make a new token: somebody may stand in between");
    }
}
