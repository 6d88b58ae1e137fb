using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Configuration;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;
using MirrorD.Daemon.Events;
using MirrorD.Daemon.Logging;
using MirrorD.Daemon.Startup;

namespace MirrorD.Daemon.Forwarding;

/// <summary>Lets machines with a token into the cluster (<see cref="JoinExchange"/>).</summary>
internal sealed class Joining(NodeContext context, EventLog events)
{
    private readonly JoinTokens _tokens = new(context.State.Identity);
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly ToldCauses _told = new(TimeProvider.System);

    /// <summary>A token was given out and not used.</summary>
    public bool IsExpected => _tokens.Any(DateTimeOffset.UtcNow);

    /// <summary>Serves one stranger.</summary>
    /// <exception cref="IOException">It said something else, or left.</exception>
    public async Task Serve(Stream channel, CancellationToken stop)
    {
        X509Certificate2 authority = context.Security.Trust.Authorities[0];
        await JoinExchange.Send(channel, new JoinOffer(authority.ExportCertificatePem()), JoinJson.Default.JoinOffer, stop);
        JoinRequest request = await JoinExchange.Receive(channel, JoinJson.Default.JoinRequest, stop);
        JoinReply reply;
        await _one.WaitAsync(stop);
        try
        {
            reply = Decide(request);
        }
        catch (Exception failed) when (failed is NodeStateException or IOException or UnauthorizedAccessException)
        {
            reply = new JoinReply($"node {context.Name} can't let you in: {failed.Message.TrimEnd('.')}", "repair that there");
        }
        finally
        {
            _one.Release();
        }

        await JoinExchange.Send(channel, reply, JoinJson.Default.JoinReply, stop);
    }

    private JoinReply Decide(JoinRequest request)
    {
        ClusterConfiguration configuration = context.Configuration;
        if (request.Node == context.Name || !configuration.Nodes.ContainsKey(request.Node))
        {
            return new JoinReply(
                $"node {context.Name} knows no other node of that name",
                "use one and the same configuration on all nodes, and restart mirrord there after a change");
        }

        PublicKey? key = KeyOf(request.PublicKey);
        if (key is null || request.Id == Guid.Empty || SecretOf(request.Secret) is not { } secret)
        {
            return new JoinReply("the request is malformed", "install the same release on all nodes");
        }

        DateTimeOffset now = DateTimeOffset.UtcNow;
        if (!_tokens.Redeem(request.Node, secret, now))
        {
            if (_told.IsNew(request.Node))
            {
                events.Add(
                    null, "join-refused", $"Somebody wants to join as node {request.Node} with a token that is not good.");
            }

            return new JoinReply(
                $"the token is not good for node {request.Node}: used, too old, or for another node",
                $"make a new one with 'mirrorctl cluster token {request.Node}' on node {context.Name}");
        }

        using ClusterAuthority authority = context.State.Identity.LoadAuthority();
        using X509Certificate2 certificate = authority.Issue(
            key, request.Node, request.Id, now, ClusterAuthority.NodeLifetime);
        NodeCertificate made = NodeCertificate.Read(certificate)!;
        context.Security.Replace(made, now);
        events.Add(null, "node-joined",
            $"Node {request.Node} has joined the cluster with id {request.Id}; keys that it had before are no longer good.");
        return new JoinReply(
            Certificate: certificate.ExportCertificatePem(), AuthorityKey: authority.ExportKeyPem(),
            ClusterKeys: context.Keys.Datagrams.Lines, Revoked: [.. context.Security.Trust.RevokedKeys]);
    }

    private static byte[]? SecretOf(string text)
    {
        byte[] secret = new byte[64];
        return Convert.TryFromBase64String(text, secret, out int length) ? secret[..length] : null;
    }

    /// <summary>An EC key on P-256, as all of this program's are; null for anything else.</summary>
    private static PublicKey? KeyOf(string text)
    {
        byte[] der = new byte[256];
        if (!Convert.TryFromBase64String(text, der, out int length))
        {
            return null;
        }

        try
        {
            return EcKeys.Public(der[..length]);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
