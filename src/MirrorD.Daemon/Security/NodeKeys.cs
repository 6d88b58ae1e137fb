using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;

namespace MirrorD.Daemon.Security;

/// <summary>
/// The keys of this node, and how they are exchanged while everything runs. Each step is stored before it counts, can be
/// repeated, and leaves this node understanding every key that another one may still use. Any thread.
/// </summary>
internal sealed class NodeKeys
{
    private readonly StateDirectory _state;
    private readonly Lock _lock = new();
    private volatile ClusterKeys _keys;

    /// <summary>Reads the files.</summary>
    /// <exception cref="NodeStateException">Something is missing or damaged.</exception>
    public NodeKeys(StateDirectory state)
    {
        _state = state;
        _keys = ClusterKeys.Load(state.KeyFile);
        Security = new NodeSecurity(state.Identity);
    }

    /// <summary>Who this node is, and whom it trusts.</summary>
    public NodeSecurity Security { get; }

    /// <summary>The keys of the datagrams.</summary>
    public ClusterKeys Datagrams => _keys;

    /// <summary>Told when these have changed.</summary>
    public Action<ClusterKeys>? Changed { get; set; }

    /// <summary>A key is going to be used: what arrives with it counts from now on.</summary>
    /// <returns>False when two others are in use: that exchange has to end first.</returns>
    public bool Accept(byte[] key) => Change(keys =>
        keys.Accepts(key) ? keys : keys.Accepted is null ? keys with { Accepted = key } : null);

    /// <summary>Everybody accepts the key: it is sent with from now on.</summary>
    /// <returns>False when it is not one of those that are accepted.</returns>
    public bool Use(byte[] key) => Change(keys =>
        key.AsSpan().SequenceEqual(keys.Sending) ? keys
        : keys.Accepts(key) ? new ClusterKeys(key, keys.Sending) : null);

    /// <summary>Everybody sends with the key: no other one counts any more.</summary>
    /// <returns>False when this node does not send with it.</returns>
    public bool Settle(byte[] key) => Change(keys =>
        key.AsSpan().SequenceEqual(keys.Sending) ? keys with { Accepted = null } : null);

    /// <summary>A new key and certificate for this node; the former one stays good until <see cref="Exchange"/>.</summary>
    /// <returns>Hashes of the former key and of the new one.</returns>
    /// <exception cref="NodeStateException">The authority's key is missing, or something can't be stored.</exception>
    public (string Former, string New) Renew(DateTimeOffset now)
    {
        lock (_lock)
        {
            NodeCertificate former = Security.Identity.Says;
            using ClusterAuthority authority = _state.Identity.LoadAuthority();
            var identity = NodeIdentity.Create(authority, former.Name, former.Id, now, ClusterAuthority.NodeLifetime);
            _state.Identity.SaveNode(identity);
            Security.Reload();
            return (former.KeyHash, identity.Says.KeyHash);
        }
    }

    /// <summary>A node has a new key: its former one is taken back.</summary>
    /// <exception cref="NodeStateException">That can't be stored.</exception>
    public void Exchange(string node, string former, string key, DateTimeOffset now)
    {
        lock (_lock)
        {
            _state.Identity.Revoke(former, node, now);
            _state.Identity.Remember(node, key);
            Security.Reload();
        }
    }

    private bool Change(Func<ClusterKeys, ClusterKeys?> change)
    {
        lock (_lock)
        {
            ClusterKeys? next = change(_keys);
            if (next is not null && !ReferenceEquals(next, _keys))
            {
                next.Save(_state.KeyFile);
                _keys = next;
                Changed?.Invoke(next);
            }

            return next is not null;
        }
    }
}
