using System.Runtime.InteropServices;

namespace MirrorD.Formats.Peer;

/// <summary>openssl/evp.h of OpenSSL 3: ciphers whose context is kept from message to message.</summary>
internal static unsafe partial class LibCrypto
{
    /// <summary>EVP_CIPHER_CTX_ctrl: writes the tag of what was authenticated.</summary>
    public const int EVP_CTRL_AEAD_GET_TAG = 0x10;

    [LibraryImport("libcrypto.so.3")]
    public static partial nint EVP_aes_128_gcm();

    [LibraryImport("libcrypto.so.3")]
    public static partial nint EVP_CIPHER_CTX_new();

    [LibraryImport("libcrypto.so.3")]
    public static partial void EVP_CIPHER_CTX_free(nint context);

    [LibraryImport("libcrypto.so.3")]
    public static partial int EVP_EncryptInit_ex(nint context, nint cipher, nint engine, byte* key, byte* nonce);

    [LibraryImport("libcrypto.so.3")]
    public static partial int EVP_EncryptUpdate(nint context, byte* output, int* written, byte* input, int bytes);

    [LibraryImport("libcrypto.so.3")]
    public static partial int EVP_EncryptFinal_ex(nint context, byte* output, int* written);

    [LibraryImport("libcrypto.so.3")]
    public static partial int EVP_CIPHER_CTX_ctrl(nint context, int command, int number, void* data);
}
