using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Tls;

/// <summary>
/// What sessions of one identity have in common: TLS 1.3 only, both sides show a certificate, no tickets, no resumption. Any
/// thread.
/// </summary>
public sealed unsafe class TlsContext : IDisposable
{
    private const int MostCertificateBytes = 8192;

    private nint _context;

    /// <summary>Takes the identity.</summary>
    /// <param name="certificate">The certificate, DER.</param>
    /// <param name="privateKey">Its EC key, DER as in RFC 5915.</param>
    /// <exception cref="CryptographicException">They are no such things, or do not belong together.</exception>
    /// <exception cref="DllNotFoundException">There is no libssl.so.3.</exception>
    public TlsContext(ReadOnlySpan<byte> certificate, ReadOnlySpan<byte> privateKey)
    {
        _context = Ssl.SSL_CTX_new(Ssl.TLS_method());
        try
        {
            Require(_context != 0, "a TLS context");
            Require(Control(Ssl.SSL_CTRL_SET_MIN_PROTO_VERSION, Ssl.TLS1_3_VERSION), "TLS 1.3");
            _ = Control(Ssl.SSL_CTRL_SET_SESS_CACHE_MODE, Ssl.SSL_SESS_CACHE_OFF);
            _ = Control(Ssl.SSL_CTRL_SET_MAX_CERT_LIST, MostCertificateBytes);
            Require(Ssl.SSL_CTX_set_num_tickets(_context, 0) == 1, "no tickets");
            fixed (byte* suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256\0"u8)
            fixed (byte* groups = "X25519:P-256\0"u8)
            {
                Require(Ssl.SSL_CTX_set_ciphersuites(_context, suites) == 1, "the cipher suites");
                Require(Control(Ssl.SSL_CTRL_SET_GROUPS_LIST, 0, groups), "the groups");
            }

            fixed (byte* der = certificate)
            {
                Require(Ssl.SSL_CTX_use_certificate_ASN1(_context, certificate.Length, der) == 1, "the certificate");
            }

            fixed (byte* der = privateKey)
            {
                Require(
                    Ssl.SSL_CTX_use_PrivateKey_ASN1(Crypto.EVP_PKEY_EC, _context, der, privateKey.Length) == 1, "the key");
            }

            Require(Ssl.SSL_CTX_check_private_key(_context) == 1, "the key of the certificate");
            Ssl.SSL_CTX_set_verify(_context, Ssl.SSL_VERIFY_PEER | Ssl.SSL_VERIFY_FAIL_IF_NO_PEER_CERT, 0);
            Ssl.SSL_CTX_set_cert_verify_callback(_context, &Verify, 0);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Frees what nobody disposed.</summary>
    ~TlsContext() => Free();

    /// <summary>A session object of OpenSSL, for its caller to free.</summary>
    internal nint NewSession()
    {
        ObjectDisposedException.ThrowIf(_context == 0, this);
        nint session = Ssl.SSL_new(_context);
        Require(session != 0, "a TLS session");
        GC.KeepAlive(this);
        return session;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        // Sessions hold it as long as they live.
        Ssl.SSL_CTX_free(_context);
        _context = 0;
    }

    private bool Control(int command, long number, void* pointer = null) =>
        Ssl.SSL_CTX_ctrl(_context, command, number, pointer) == 1;

    private static void Require(bool succeeded, string what)
    {
        if (!succeeded)
        {
            throw new CryptographicException($"OpenSSL does not take {what}: {TlsError.Take() ?? "no cause given"}");
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Verify(nint store, nint argument)
    {
        int error = Crypto.X509_V_ERR_APPLICATION_VERIFICATION;
        try
        {
            byte* der = null;
            nint certificate = Crypto.X509_STORE_CTX_get0_cert(store);
            int length = Crypto.i2d_X509(certificate, null);
            if (length is > 0 and <= MostCertificateBytes)
            {
                byte[] bytes = new byte[length];
                fixed (byte* into = bytes)
                {
                    der = into;
                    _ = Crypto.i2d_X509(certificate, &der);
                }

                error = TlsSession.Judge(bytes) switch
                {
                    CertificateVerdict.Accepted => Crypto.X509_V_OK,
                    CertificateVerdict.UnknownAuthority => Crypto.X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                    CertificateVerdict.Expired => Crypto.X509_V_ERR_CERT_HAS_EXPIRED,
                    CertificateVerdict.Revoked => Crypto.X509_V_ERR_CERT_REVOKED,
                    CertificateVerdict.SomebodyElse => Crypto.X509_V_ERR_APPLICATION_VERIFICATION,
                };
            }
        }
        catch (Exception)
        {
            // Nothing may be thrown into C: whoever's certificate can't be judged is refused.
        }

        Crypto.X509_STORE_CTX_set_error(store, error);
        return error == Crypto.X509_V_OK ? 1 : 0;
    }
}
