using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Tls;

/// <summary>
/// One side of a TLS 1.3 connection (RFC 8446) by libssl, without a socket: bytes in, bytes out. First steps of the
/// handshake, then records. Used by one thread at a time; sealing and opening allocate nothing.
/// </summary>
public sealed unsafe class TlsSession : IDisposable
{
    /// <summary>Most bytes that one step of a handshake takes or gives.</summary>
    public const int MostHandshakeBytes = 16 * 1024;

    /// <summary>Most bytes of a record on the wire (RFC 8446, section 5.2).</summary>
    public const int MostRecordBytes = 5 + RecordBytes + 256;

    /// <summary>
    /// After so many bytes the key is changed (RFC 8446, section 5.5: about 2^24.5 full records of AES-GCM, 350 GiB; half of
    /// the records may be small).
    /// </summary>
    internal long KeyUpdateBytes { get; init; } = 16L << 30;

    private const int RecordBytes = 16 * 1024;
    private const int RecordOverheadBytes = 5 + 1 + 16;

    [ThreadStatic]
    private static TlsSession? s_stepping;

    private readonly Func<byte[], CertificateVerdict> _judge;
    private readonly TlsBio* _bio;
    private readonly byte* _handshake;
    private nint _session;
    private int _unreadBytes;
    private long _sealedBytes;

    /// <summary>Begins a handshake.</summary>
    /// <param name="context">This side's identity.</param>
    /// <param name="isClient">The client speaks first.</param>
    /// <param name="judge">Gets the other side's certificate, DER, within a step; what it throws is a refusal.</param>
    public TlsSession(TlsContext context, bool isClient, Func<byte[], CertificateVerdict> judge)
    {
        _judge = judge;
        _session = context.NewSession();
        _bio = (TlsBio*)NativeMemory.AllocZeroed((nuint)sizeof(TlsBio));
        _handshake = (byte*)NativeMemory.Alloc(2 * MostHandshakeBytes);
        nint bio = TlsBio.Make(_bio);
        Ssl.SSL_set_bio(_session, bio, bio);
        if (isClient)
        {
            Ssl.SSL_set_connect_state(_session);
        }
        else
        {
            Ssl.SSL_set_accept_state(_session);
        }
    }

    /// <summary>Frees what nobody disposed.</summary>
    ~TlsSession() => Free();

    /// <summary>The handshake has ended well.</summary>
    public bool IsSecure { get; private set; }

    /// <summary>The other side has said that nothing more comes (close_notify), and all that came before is out.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Why it failed; null while it has not.</summary>
    public string? Problem { get; private set; }

    /// <summary>What is to be sent after the last step of the handshake.</summary>
    public ReadOnlySpan<byte> ToSend => new(_handshake + MostHandshakeBytes, _bio->OutBytes);

    /// <summary>Received in a step of the handshake and not part of it.</summary>
    public ReadOnlySpan<byte> Unread => new(_handshake, _unreadBytes);

    /// <summary>One step of the handshake.</summary>
    /// <param name="received">What arrived since the last one; at most <see cref="MostHandshakeBytes"/>.</param>
    public void Step(ReadOnlySpan<byte> received)
    {
        ObjectDisposedException.ThrowIf(_session == 0, this);
        if (Problem is not null || IsSecure || received.Length > MostHandshakeBytes - _unreadBytes)
        {
            Problem ??= "the handshake does not end";
            _bio->OutBytes = 0;
            return;
        }

        received.CopyTo(new Span<byte>(_handshake + _unreadBytes, received.Length));
        _bio->In = _handshake;
        _bio->InBytes = _unreadBytes + received.Length;
        _bio->Out = _handshake + MostHandshakeBytes;
        _bio->OutRoomBytes = MostHandshakeBytes;
        _bio->OutBytes = 0;
        Crypto.ERR_clear_error();
        s_stepping = this;
        int result = Ssl.SSL_do_handshake(_session);
        s_stepping = null;
        IsSecure = result == 1;
        if (!IsSecure && Ssl.SSL_get_error(_session, result) != Ssl.SSL_ERROR_WANT_READ)
        {
            Problem = TlsError.Take() ?? "broken off";
        }

        _unreadBytes = _bio->InBytes;
        Buffer.MemoryCopy(_bio->In, _handshake, MostHandshakeBytes, _unreadBytes);
    }

    /// <summary>Secret of both ends and nobody else (RFC 8446, section 7.5), for one purpose.</summary>
    public void Export(ReadOnlySpan<byte> label, Span<byte> secret)
    {
        ObjectDisposedException.ThrowIf(!IsSecure || _session == 0, this);
        fixed (byte* into = secret)
        fixed (byte* name = label)
        {
            if (Ssl.SSL_export_keying_material(
                _session, into, (nuint)secret.Length, name, (nuint)label.Length, null, 0, 0) != 1)
            {
                throw new CryptographicException(TlsError.Take() ?? "OpenSSL exports no key");
            }
        }
    }

    /// <summary>What so many bytes may become at most; a change of keys in between included.</summary>
    public static int MostSealedBytes(int plainBytes) =>
        plainBytes + (RecordOverheadBytes * ((plainBytes / RecordBytes) + 1)) + 64;

    /// <summary>Encrypts all of it.</summary>
    /// <returns>Bytes written; negative: see <see cref="Problem"/>.</returns>
    public int Seal(ReadOnlySpan<byte> plain, nint into, int roomBytes)
    {
        ObjectDisposedException.ThrowIf(_session == 0, this);
        _bio->Out = (byte*)into;
        _bio->OutRoomBytes = roomBytes;
        _bio->OutBytes = 0;
        _sealedBytes += plain.Length;
        Crypto.ERR_clear_error();
        if (_sealedBytes > KeyUpdateBytes)
        {
            _sealedBytes = 0;
            _ = Ssl.SSL_key_update(_session, Ssl.SSL_KEY_UPDATE_NOT_REQUESTED);
        }

        nuint written;
        fixed (byte* from = plain)
        {
            if (plain.Length > 0 && Ssl.SSL_write_ex(_session, from, (nuint)plain.Length, &written) != 1)
            {
                Problem ??= TlsError.Take() ?? "encrypting failed";
                _bio->Out = null;
                return -1;
            }
        }

        int length = _bio->OutBytes;
        _bio->Out = null;
        return length;
    }

    /// <summary>Decrypts as much as there is, or fits.</summary>
    /// <returns>Bytes that came out; negative: see <see cref="Problem"/>.</returns>
    public int Open(nint received, int receivedBytes, Span<byte> into, out int consumedBytes)
    {
        ObjectDisposedException.ThrowIf(_session == 0, this);
        _bio->In = (byte*)received;
        _bio->InBytes = receivedBytes;
        _bio->Out = null;
        int opened = 0;
        Crypto.ERR_clear_error();
        fixed (byte* to = into)
        {
            while (opened < into.Length)
            {
                nuint read = 0;
                int result = Ssl.SSL_read_ex(_session, to + opened, (nuint)(into.Length - opened), &read);
                if (result != 1)
                {
                    int error = Ssl.SSL_get_error(_session, result);
                    if (error == Ssl.SSL_ERROR_ZERO_RETURN)
                    {
                        IsEnded = true;
                    }
                    else if (error != Ssl.SSL_ERROR_WANT_READ)
                    {
                        Problem ??= TlsError.Take() ?? "the other side has broken off";
                        opened = -1;
                    }

                    break;
                }

                opened += (int)read;
            }
        }

        consumedBytes = receivedBytes - _bio->InBytes;
        return opened;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>What the session that makes a step on this thread thinks of a certificate.</summary>
    internal static CertificateVerdict Judge(byte[] certificate) => s_stepping!._judge(certificate);

    private void Free()
    {
        if (_session != 0)
        {
            Ssl.SSL_free(_session);
            _session = 0;
            NativeMemory.Free(_bio);
            NativeMemory.Free(_handshake);
        }
    }
}
