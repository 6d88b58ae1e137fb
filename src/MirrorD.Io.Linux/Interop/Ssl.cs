using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>openssl/ssl.h of OpenSSL 3. Functions report errors in the thread's error queue (<see cref="Crypto"/>).</summary>
[CHeader("openssl/ssl.h")]
internal static unsafe partial class Ssl
{
    public const int TLS1_3_VERSION = 0x0304;

    public const int SSL_CTRL_MODE = 33;
    public const int SSL_CTRL_SET_SESS_CACHE_MODE = 44;
    public const int SSL_CTRL_SET_MAX_CERT_LIST = 51;
    public const int SSL_CTRL_SET_GROUPS_LIST = 92;
    public const int SSL_CTRL_SET_MIN_PROTO_VERSION = 123;

    public const int SSL_SESS_CACHE_OFF = 0;

    public const int SSL_VERIFY_PEER = 1;
    public const int SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;

    public const int SSL_ERROR_NONE = 0;
    public const int SSL_ERROR_WANT_READ = 2;
    public const int SSL_ERROR_ZERO_RETURN = 6;

    public const int SSL_KEY_UPDATE_NOT_REQUESTED = 0;

    [LibraryImport("libssl.so.3")]
    public static partial nint TLS_method();

    [LibraryImport("libssl.so.3")]
    public static partial nint SSL_CTX_new(nint method);

    [LibraryImport("libssl.so.3")]
    public static partial void SSL_CTX_free(nint context);

    [LibraryImport("libssl.so.3")]
    public static partial long SSL_CTX_ctrl(nint context, int command, long number, void* pointer);

    [LibraryImport("libssl.so.3")]
    public static partial int SSL_CTX_set_ciphersuites(nint context, byte* names);

    [LibraryImport("libssl.so.3")]
    public static partial int SSL_CTX_use_certificate_ASN1(nint context, int length, byte* der);

    [LibraryImport("libssl.so.3")]
    public static partial int SSL_CTX_use_PrivateKey_ASN1(int kind, nint context, byte* der, long length);

    [LibraryImport("libssl.so.3")]
    public static partial int SSL_CTX_check_private_key(nint context);

    [LibraryImport("libssl.so.3")]
    public static partial void SSL_CTX_set_verify(nint context, int mode, nint callback);

    [LibraryImport("libssl.so.3")]
    public static partial void SSL_CTX_set_cert_verify_callback(
        nint context, delegate* unmanaged[Cdecl]<nint, nint, int> callback, nint argument);

    [LibraryImport("libssl.so.3")]
    public static partial int SSL_CTX_set_num_tickets(nint context, nuint count);

    [LibraryImport("libssl.so.3")]
    public static partial nint SSL_new(nint context);

    [LibraryImport("libssl.so.3")]
    public static partial void SSL_free(nint session);

    [LibraryImport("libssl.so.3")]
    public static partial void SSL_set_bio(nint session, nint read, nint write);

    [LibraryImport("libssl.so.3")]
    public static partial void SSL_set_connect_state(nint session);

    [LibraryImport("libssl.so.3")]
    public static partial void SSL_set_accept_state(nint session);

    [LibraryImport("libssl.so.3")]
    public static partial int SSL_do_handshake(nint session);

    [LibraryImport("libssl.so.3")]
    public static partial int SSL_get_error(nint session, int result);

    [LibraryImport("libssl.so.3")]
    public static partial int SSL_read_ex(nint session, byte* into, nuint length, nuint* read);

    [LibraryImport("libssl.so.3")]
    public static partial int SSL_write_ex(nint session, byte* from, nuint length, nuint* written);

    [LibraryImport("libssl.so.3")]
    public static partial int SSL_key_update(nint session, int kind);

    [LibraryImport("libssl.so.3")]
    public static partial int SSL_export_keying_material(
        nint session, byte* into, nuint length, byte* label, nuint labelLength, byte* context, nuint contextLength,
        int useContext);
}
