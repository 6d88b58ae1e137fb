using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>openssl/err.h, openssl/evp.h and openssl/x509_vfy.h of OpenSSL 3.</summary>
[CHeader("openssl/evp.h", "openssl/err.h", "openssl/x509_vfy.h")]
internal static unsafe partial class Crypto
{
    public const int EVP_PKEY_EC = 408;

    public const int X509_V_OK = 0;
    public const int X509_V_ERR_CERT_HAS_EXPIRED = 10;
    public const int X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY = 20;
    public const int X509_V_ERR_CERT_REVOKED = 23;
    public const int X509_V_ERR_APPLICATION_VERIFICATION = 50;

    [LibraryImport("libcrypto.so.3")]
    public static partial void ERR_clear_error();

    [LibraryImport("libcrypto.so.3")]
    public static partial ulong ERR_get_error();

    [LibraryImport("libcrypto.so.3")]
    public static partial byte* ERR_reason_error_string(ulong error);

    [LibraryImport("libcrypto.so.3")]
    public static partial nint X509_STORE_CTX_get0_cert(nint context);

    [LibraryImport("libcrypto.so.3")]
    public static partial void X509_STORE_CTX_set_error(nint context, int error);

    [LibraryImport("libcrypto.so.3")]
    public static partial int i2d_X509(nint certificate, byte** into);
}
