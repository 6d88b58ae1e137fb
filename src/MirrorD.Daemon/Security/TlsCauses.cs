namespace MirrorD.Daemon.Security;

/// <summary>What OpenSSL's reasons mean here, and what to do.</summary>
internal static class TlsCauses
{
    /// <summary>The reason in the words of this program; what is not known stays as it is.</summary>
    public static string Explain(string reason) => reason switch
    {
        "tlsv1 alert unknown ca" =>
            "the other side does not trust this node's certificate: both must belong to the same cluster "
            + "('mirrorctl cluster token' there, 'mirrorctl cluster join' here)",
        "sslv3 alert certificate expired" =>
            "the other side says that this node's certificate has expired: check both clocks, or run 'mirrorctl keys renew' here",
        "sslv3 alert certificate revoked" =>
            "the other side says that this node's key was taken back: join this node anew, if it is the right machine",
        "sslv3 alert handshake failure" => "the other side takes this node for somebody else: its log says why",
        "tlsv13 alert certificate required" or "peer did not return a certificate" => "the other side shows no certificate",
        "wrong version number" or "http request" or "unsupported protocol" or "packet length too long" or "no protocols available"
            => "the other side does not speak TLS 1.3",
        "unexpected eof while reading" => "closed by the other side",
        "decryption failed or bad record mac" => "what arrived was changed on its way",
        _ => $"TLS: {reason}",
    };
}
