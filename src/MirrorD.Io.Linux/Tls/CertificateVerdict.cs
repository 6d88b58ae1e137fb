namespace MirrorD.Io.Linux.Tls;

/// <summary>
/// What is thought of the other side's certificate; each refusal has an alert of its own in TLS (RFC 8446, section
/// 6.2).
/// </summary>
public enum CertificateVerdict
{
    /// <summary>It may be trusted.</summary>
    Accepted,
    /// <summary>Nobody who is trusted has signed it (unknown_ca).</summary>
    UnknownAuthority,
    /// <summary>Its time has passed, or has not come (certificate_expired).</summary>
    Expired,
    /// <summary>Its key was taken back (certificate_revoked).</summary>
    Revoked,
    /// <summary>It is somebody else's (handshake_failure).</summary>
    SomebodyElse,
}
