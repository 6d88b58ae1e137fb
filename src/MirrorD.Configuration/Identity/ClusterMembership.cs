using System.Security.Cryptography;
using MirrorD.Configuration.NodeState;

namespace MirrorD.Configuration.Identity;

/// <summary>Makes a node a member of a cluster: its files appear in an order in which the last one makes it one.</summary>
public static class ClusterMembership
{
    /// <summary>Makes a new cluster, with this node as its first member.</summary>
    /// <exception cref="NodeStateException">It belongs to one already, or something can't be written.</exception>
    public static NodeIdentity Found(StateDirectory state, string name, DateTimeOffset now)
    {
        RequireNone(state);
        Guid id = state.NodeId();
        using ClusterAuthority authority = ClusterAuthority.Create(now);
        var identity = NodeIdentity.Create(authority, name, id, now, ClusterAuthority.NodeLifetime);
        Admit(state, authority.Certificate.ExportCertificatePem(), authority.ExportKeyPem(),
            new ClusterKeys(RandomNumberGenerator.GetBytes(ClusterKeys.LengthBytes)), identity);
        return identity;
    }

    /// <summary>Makes the files of another member, in a state directory of its own.</summary>
    /// <param name="state">State of this node, which has the key of the authority.</param>
    /// <param name="to">State of the other one; its id is made when there is none.</param>
    /// <param name="name">Name of the other one.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="NodeStateException">Something is missing, is there already, or can't be written.</exception>
    public static NodeIdentity Issue(StateDirectory state, StateDirectory to, string name, DateTimeOffset now)
    {
        RequireNone(to);
        using ClusterAuthority authority = state.Identity.LoadAuthority();
        var identity = NodeIdentity.Create(authority, name, to.NodeId(), now, ClusterAuthority.NodeLifetime);
        Admit(to, authority.Certificate.ExportCertificatePem(), authority.ExportKeyPem(),
            ClusterKeys.Load(state.KeyFile), identity);
        return identity;
    }

    /// <summary>Stores what makes a node a member.</summary>
    /// <exception cref="NodeStateException">Something can't be written.</exception>
    public static void Admit(
        StateDirectory state, string authorityPem, string? authorityKeyPem, ClusterKeys keys, NodeIdentity identity)
    {
        state.Ensure();
        keys.Save(state.KeyFile);
        state.Identity.SaveAuthority(authorityPem, authorityKeyPem);
        state.Identity.SaveNode(identity);
    }

    /// <summary>Refuses a node that is a member already.</summary>
    /// <exception cref="NodeStateException">It is.</exception>
    public static void RequireNone(StateDirectory state)
    {
        if (File.Exists(state.Identity.NodeFile))
        {
            throw new NodeStateException(
                $"{state.Path} belongs to a member of a cluster already ({state.Identity.NodeFile} is there)",
                "keep it; to give it up on purpose, stop mirrord and move the directory 'identity' away first");
        }
    }
}
