namespace MirrorD.Api;

/// <summary>Body of <c>POST /v1/keys/revoke</c>.</summary>
public sealed record RevokeRequest
{
    /// <summary>SHA-256 of the public key that is no longer good, 64 hexadecimal digits.</summary>
    public string Key { get; init; } = "";
}
