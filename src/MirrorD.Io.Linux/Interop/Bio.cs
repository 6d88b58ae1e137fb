using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>openssl/bio.h of OpenSSL 3: where a session reads from and writes to.</summary>
[CHeader("openssl/bio.h")]
internal static unsafe partial class Bio
{
    public const int BIO_TYPE_SOURCE_SINK = 0x0400;
    public const int BIO_CTRL_FLUSH = 11;
    public const int BIO_FLAGS_READ = 0x01;
    public const int BIO_FLAGS_SHOULD_RETRY = 0x08;

    [LibraryImport("libcrypto.so.3")]
    public static partial int BIO_get_new_index();

    [LibraryImport("libcrypto.so.3")]
    public static partial nint BIO_meth_new(int type, byte* name);

    [LibraryImport("libcrypto.so.3")]
    public static partial int BIO_meth_set_write(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> write);

    [LibraryImport("libcrypto.so.3")]
    public static partial int BIO_meth_set_read(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> read);

    [LibraryImport("libcrypto.so.3")]
    public static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged[Cdecl]<nint, int, long, nint, long> control);

    [LibraryImport("libcrypto.so.3")]
    public static partial nint BIO_new(nint method);

    [LibraryImport("libcrypto.so.3")]
    public static partial void BIO_set_data(nint bio, nint data);

    [LibraryImport("libcrypto.so.3")]
    public static partial nint BIO_get_data(nint bio);

    [LibraryImport("libcrypto.so.3")]
    public static partial void BIO_set_init(nint bio, int init);

    [LibraryImport("libcrypto.so.3")]
    public static partial void BIO_set_flags(nint bio, int flags);

    [LibraryImport("libcrypto.so.3")]
    public static partial void BIO_clear_flags(nint bio, int flags);
}
