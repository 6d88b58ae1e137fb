using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Tls;

/// <summary>The errors that OpenSSL keeps for each thread.</summary>
internal static unsafe class TlsError
{
    /// <summary>The reason of the oldest one, and forgets all; null when there is none.</summary>
    public static string? Take()
    {
        ulong error = Crypto.ERR_get_error();
        Crypto.ERR_clear_error();
        return error == 0 ? null : Marshal.PtrToStringUTF8((nint)Crypto.ERR_reason_error_string(error)) ?? $"error {error:x}";
    }
}
