using System.Buffers.Binary;
using System.Security.Cryptography;

namespace MirrorD.Daemon.Forwarding;

/// <summary>
/// An encrypted byte stream over a connection whose ends have shown one another the cluster's key. A record is its
/// length (u16, little endian, 1 to 16384), a tag of 16 bytes and the data under AES-256-GCM; the nonce counts the
/// records of a direction, so that none can be changed, left out, repeated or moved. One reader and one writer at a
/// time.
/// </summary>
internal sealed class SealedStream : Stream
{
    /// <summary>Most bytes of data in a record.</summary>
    public const int MostRecordBytes = 16 * 1024;

    private const int HeaderBytes = 2 + TagBytes;
    private const int TagBytes = 16;
    private const int NonceBytes = 12;

    private readonly Stream _inner;
    private readonly AesGcm _sealer;
    private readonly AesGcm _opener;
    private readonly byte[] _out = new byte[HeaderBytes + MostRecordBytes];
    private readonly byte[] _in = new byte[MostRecordBytes];
    private readonly byte[] _plain = new byte[MostRecordBytes];
    private readonly byte[] _header = new byte[HeaderBytes];
    private ulong _sent;
    private ulong _received;
    private int _next;
    private int _end;

    /// <summary>Takes the connection over.</summary>
    /// <param name="inner">The connection, after the handshake.</param>
    /// <param name="sendKey">Key of this side's records, 32 bytes, used in this connection alone.</param>
    /// <param name="receiveKey">Key of the other side's records.</param>
    public SealedStream(Stream inner, ReadOnlySpan<byte> sendKey, ReadOnlySpan<byte> receiveKey)
    {
        _inner = inner;
        _sealer = new AesGcm(sendKey, TagBytes);
        _opener = new AesGcm(receiveKey, TagBytes);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Reads what the next record holds.</summary>
    /// <exception cref="IOException">A record is malformed, or was not made by the other side.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken stop = default)
    {
        if (_next == _end && !await ReadRecord(stop))
        {
            return 0;
        }

        int count = Math.Min(buffer.Length, _end - _next);
        _plain.AsMemory(_next, count).CopyTo(buffer);
        _next += count;
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken stop = default)
    {
        while (!buffer.IsEmpty)
        {
            int count = Math.Min(buffer.Length, MostRecordBytes);
            BinaryPrimitives.WriteUInt16LittleEndian(_out, (ushort)count);
            Seal(buffer.Span[..count]);
            await _inner.WriteAsync(_out.AsMemory(0, HeaderBytes + count), stop);
            buffer = buffer[count..];
        }
    }

    public override Task FlushAsync(CancellationToken stop) => _inner.FlushAsync(stop);

    public override void Flush() => _inner.Flush();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken stop) =>
        ReadAsync(buffer.AsMemory(offset, count), stop).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken stop) =>
        WriteAsync(buffer.AsMemory(offset, count), stop).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
            _sealer.Dispose();
            _opener.Dispose();
        }

        base.Dispose(disposing);
    }

    private static void WriteNonce(Span<byte> nonce, ulong number)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, number);
    }

    private void Seal(ReadOnlySpan<byte> data)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        WriteNonce(nonce, _sent++);
        _sealer.Encrypt(
            nonce, data, _out.AsSpan(HeaderBytes, data.Length), _out.AsSpan(2, TagBytes), _out.AsSpan(0, 2));
    }

    private async ValueTask<bool> ReadRecord(CancellationToken stop)
    {
        int first = await _inner.ReadAtLeastAsync(_header, HeaderBytes, throwOnEndOfStream: false, stop);
        if (first == 0)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(_header);
        if (first < HeaderBytes || length is 0 or > MostRecordBytes)
        {
            throw new IOException($"a record of {length} bytes on a sealed connection");
        }

        await _inner.ReadExactlyAsync(_in.AsMemory(0, length), stop);
        Open(length);
        _next = 0;
        _end = length;
        return true;
    }

    private void Open(int length)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        WriteNonce(nonce, _received++);
        try
        {
            _opener.Decrypt(
                nonce, _in.AsSpan(0, length), _header.AsSpan(2), _plain.AsSpan(0, length), _header.AsSpan(0, 2));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new IOException("a record on a sealed connection was not made by the other side");
        }
    }
}
