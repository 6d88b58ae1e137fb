namespace MirrorD.Api;

/// <summary>Body of <c>POST /v1/keys/step</c>: one step of an exchange of keys, from the node that leads it.</summary>
public sealed record KeyStep
{
    /// <summary>One of <see cref="Accept"/> to <see cref="Revoke"/>.</summary>
    public string Step { get; init; } = "";

    /// <summary>The heartbeats' key that is meant, hexadecimal.</summary>
    public string? Key { get; init; }

    /// <summary>With <see cref="Exchange"/>: the node that has a new key.</summary>
    public string? Node { get; init; }

    /// <summary>With <see cref="Exchange"/>: hash of its former one. With <see cref="Revoke"/>: hash of the key.</summary>
    public string? Former { get; init; }

    /// <summary>With <see cref="Exchange"/>: hash of its new one.</summary>
    public string? Now { get; init; }

    /// <summary>What comes with the key counts from now on, too.</summary>
    public const string Accept = "accept";

    /// <summary>The key is sent with.</summary>
    public const string Use = "use";

    /// <summary>No other key counts.</summary>
    public const string Settle = "settle";

    /// <summary>The node makes itself a new key and certificate.</summary>
    public const string Renew = "renew";

    /// <summary>A node's former key is taken back.</summary>
    public const string Exchange = "exchange";

    /// <summary>All nodes have taken this node's former keys back.</summary>
    public const string Renewed = "renewed";

    /// <summary>A key that is no node's is taken back.</summary>
    public const string Revoke = "revoke";
}
