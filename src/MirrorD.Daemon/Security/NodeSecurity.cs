using System.Security.Cryptography.X509Certificates;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;
using MirrorD.Io.Linux.Tls;

namespace MirrorD.Daemon.Security;

/// <summary>Who this node is and whom it trusts, as its files said last. Any thread.</summary>
internal sealed class NodeSecurity
{
    private readonly IdentityDirectory? _directory;
    private readonly HandshakeThread _thread = new();
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
    }

    /// <summary>This node's certificate and key.</summary>
    public NodeIdentity Identity => _state.Identity;

    /// <summary>Who is trusted.</summary>
    public ClusterTrust Trust => _state.Trust;

    /// <summary>The identity, for sessions of libssl.</summary>
    public TlsContext Context => _state.Context;

    /// <summary>The identity, for .NET's own TLS.</summary>
    public X509Certificate2 Certificate => _state.Certificate;

    /// <summary>Where steps of handshakes are done.</summary>
    public HandshakeThread Thread => _thread;

    /// <summary>Reads the files again: connections that are there stay, new ones are judged by what is read.</summary>
    /// <exception cref="NodeStateException">Something is missing or damaged; nothing has changed then.</exception>
    public void Reload()
    {
        if (_directory is { } directory)
        {
            lock (_writing)
            {
                _state = Load(directory);
            }
        }
    }

    /// <summary>Judges a certificate.</summary>
    /// <param name="der">The certificate.</param>
    /// <param name="name">The node that it must be of; null: any.</param>
    public TrustVerdict Judge(ReadOnlySpan<byte> der, string? name) => _state.Trust.Judge(der, name, DateTimeOffset.UtcNow);

    /// <summary>Told when something that is good to have can't be stored.</summary>
    public Action<string>? Warn { get; set; }

    /// <summary>A node was let in with this key: with it it may come back also after its certificate has expired.</summary>
    public void Remember(NodeCertificate certificate)
    {
        if (_directory is not { } directory || _state.Trust.Knows(certificate))
        {
            return;
        }

        lock (_writing)
        {
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

    private static State Load(IdentityDirectory directory) => new(directory.LoadNode(), directory.LoadTrust());
}
