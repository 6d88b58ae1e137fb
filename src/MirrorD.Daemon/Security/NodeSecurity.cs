using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;
using MirrorD.Io.Linux.Tls;

namespace MirrorD.Daemon.Security;

/// <summary>Who this node is and whom it trusts, as its files said last. Any thread.</summary>
internal sealed class NodeSecurity
{
    private readonly IdentityDirectory? _directory;
    private readonly Lock _writing = new();
    private volatile State _state;

    /// <summary>Reads the files.</summary>
    /// <exception cref="NodeStateException">Something is missing or damaged.</exception>
    public NodeSecurity(IdentityDirectory directory)
    {
        _directory = directory;
        _state = Load(directory);
    }

    /// <summary>Without files: for nodes that live as long as this object.</summary>
    public NodeSecurity(NodeIdentity identity, ClusterTrust trust) => _state = new State(identity, trust);

    private sealed class State(NodeIdentity identity, ClusterTrust trust)
    {
        public NodeIdentity Identity => identity;

        public ClusterTrust Trust => trust;

        public TlsContext Context { get; } = new(identity.CertificateDer, identity.KeyDer);

        public X509Certificate2 Certificate { get; } = identity.ToCertificate();

        // Made anew for each connection, it would cost a millisecond: more than all else that a stranger can cause.
        public SslStreamCertificateContext Shown => field ??= SslStreamCertificateContext.Create(Certificate, null, offline: true);
    }

    /// <summary>This node's certificate and key.</summary>
    public NodeIdentity Identity => _state.Identity;

    /// <summary>Who is trusted.</summary>
    public ClusterTrust Trust => _state.Trust;

    /// <summary>The identity, for sessions of libssl.</summary>
    public TlsContext Context => _state.Context;

    /// <summary>The identity, for .NET's own TLS.</summary>
    public X509Certificate2 Certificate => _state.Certificate;

    /// <summary>What this node shows to whoever connects by .NET's own TLS.</summary>
    public SslStreamCertificateContext Shown => _state.Shown;

    /// <summary>Judges a certificate.</summary>
    /// <param name="der">The certificate.</param>
    /// <param name="name">The node that it must be of; null: any.</param>
    public TrustVerdict Judge(ReadOnlySpan<byte> der, string? name) => _state.Trust.Judge(der, name, DateTimeOffset.UtcNow);

    /// <summary>Judges the certificate of a client of the NBD exports.</summary>
    /// <param name="der">The certificate.</param>
    /// <param name="allowed">Names of those who may use them.</param>
    public ClientVerdict JudgeClient(ReadOnlySpan<byte> der, IReadOnlySet<string> allowed) =>
        _state.Trust.JudgeClient(der, allowed, DateTimeOffset.UtcNow);

    /// <summary>Told when something that is good to have can't be stored.</summary>
    public Action<string>? Warn { get; set; }

    /// <summary>Raised on any thread when keys were taken back.</summary>
    public event Action? Revoked;

    /// <summary>A key is no longer good, and nobody gets another one for it.</summary>
    /// <exception cref="NodeStateException">That can't be stored.</exception>
    public void Revoke(string key, DateTimeOffset now)
    {
        if (_directory is not { } directory)
        {
            return;
        }

        lock (_writing)
        {
            directory.Revoke(key, "-", now);
            _state = Load(directory);
        }

        Revoked?.Invoke();
    }

    /// <summary>A node was let in with this key: with it it may come back also after its certificate has expired.</summary>
    public void Remember(NodeCertificate certificate)
    {
        if (_directory is not { } directory || _state.Trust.Knows(certificate))
        {
            return;
        }

        lock (_writing)
        {
            // Taken back since it was judged: it must not count as the node's key.
            if (_state.Trust.IsRevoked(certificate.KeyHash))
            {
                return;
            }

            try
            {
                directory.Remember(certificate.Name, certificate.KeyHash);
                _state = Load(directory);
            }
            catch (NodeStateException failed)
            {
                // It is let in all the same: its certificate is good today.
                Warn?.Invoke(failed.Message);
            }
        }
    }

    /// <summary>A node has a new key: the one with which it was let in last is no longer good.</summary>
    /// <exception cref="NodeStateException">That can't be stored.</exception>
    public void Replace(NodeCertificate certificate, DateTimeOffset now)
    {
        if (_directory is not { } directory)
        {
            return;
        }

        lock (_writing)
        {
            if (_state.Trust.KnownKey(certificate.Name) is { } former && former != certificate.KeyHash)
            {
                directory.Revoke(former, certificate.Name, now);
            }

            directory.Remember(certificate.Name, certificate.KeyHash);
            _state = Load(directory);
        }
    }

    /// <summary>A node has a new key: a former one is taken back.</summary>
    /// <exception cref="NodeStateException">That can't be stored.</exception>
    public void Exchange(string node, string former, string key, DateTimeOffset now)
    {
        if (_directory is not { } directory)
        {
            return;
        }

        lock (_writing)
        {
            directory.Revoke(former, node, now);
            directory.Remember(node, key);
            _state = Load(directory);
        }
    }

    /// <summary>
    /// This node gets a new key and certificate. Its former keys stay good until they are taken back everywhere; they
    /// are noted before that, so that none is forgotten.
    /// </summary>
    /// <returns>Hashes of all former keys that were not taken back everywhere, and of the new one.</returns>
    /// <exception cref="NodeStateException">The authority's key is missing, or something can't be stored.</exception>
    public (IReadOnlyList<string> Formers, string Now) Renew(DateTimeOffset now)
    {
        IdentityDirectory directory = _directory ?? throw new InvalidOperationException("It has no files.");
        lock (_writing)
        {
            NodeCertificate says = _state.Identity.Says;
            using ClusterAuthority authority = directory.LoadAuthority();
            var identity = NodeIdentity.Create(authority, says.Name, says.Id, now, ClusterAuthority.NodeLifetime);
            IReadOnlyList<string> formers = directory.NoteFormer(says.KeyHash);
            directory.SaveNode(identity);
            _state = Load(directory);
            return (formers, identity.Says.KeyHash);
        }
    }

    /// <summary>All nodes have taken the former keys of this node back.</summary>
    /// <exception cref="NodeStateException">That can't be stored.</exception>
    public void ForgetFormers()
    {
        lock (_writing)
        {
            _directory?.ForgetFormers();
        }
    }

    private static State Load(IdentityDirectory directory) => new(directory.LoadNode(), directory.LoadTrust());
}
