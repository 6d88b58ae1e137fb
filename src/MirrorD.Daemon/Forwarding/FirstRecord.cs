using System.Buffers.Binary;
using System.Net.Sockets;

namespace MirrorD.Daemon.Forwarding;

/// <summary>
/// The first record of a TLS handshake (RFC 8446, section 5.1: type, version, length). It is awaited whole before anything
/// is made that costs more than a buffer: who connects and says nothing, half of it, or something else, costs no more.
/// </summary>
internal static class FirstRecord
{
    // Type, version and length.
    private const int HeaderBytes = 5;

    // More than the ClientHello of a node has: one with a post-quantum key share has some 1500.
    private const int MostBytes = 4096;

    private const byte Handshake = 22;
    private const byte Major = 3;

    /// <summary>Receives it.</summary>
    /// <param name="caller">Nothing was read from it yet.</param>
    /// <param name="stop">Ends the waiting.</param>
    /// <returns>What arrived, the whole record at least; empty when the caller has closed, or the waiting ended.</returns>
    /// <exception cref="IOException">It is something else, or the connection failed.</exception>
    public static async Task<ReadOnlyMemory<byte>> Receive(Socket caller, CancellationToken stop)
    {
        // A receive that is cancelled ends in exceptions, which a flood can ask for; one whose side is shut just ends.
        using CancellationTokenRegistration end = stop.UnsafeRegister(Shut, caller);
        byte[] bytes = new byte[HeaderBytes + MostBytes];
        int there = 0;
        int whole = HeaderBytes;
        try
        {
            while (there < whole)
            {
                int more = await caller.ReceiveAsync(bytes.AsMemory(there), SocketFlags.None, CancellationToken.None);
                if (more == 0)
                {
                    return ReadOnlyMemory<byte>.Empty;
                }

                there += more;
                if (there >= HeaderBytes)
                {
                    whole = HeaderBytes + LengthOf(bytes);
                }
            }
        }
        catch (SocketException failed)
        {
            throw new IOException(failed.Message, failed);
        }

        return bytes.AsMemory(0, there);
    }

    private static int LengthOf(ReadOnlySpan<byte> header)
    {
        int length = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
        return header[0] == Handshake && header[1] == Major && length is > 0 and <= MostBytes
            ? length
            : throw new IOException("the other side does not speak TLS 1.3");
    }

    private static void Shut(object? caller)
    {
        try
        {
            ((Socket)caller!).Shutdown(SocketShutdown.Receive);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // It has ended by itself.
        }
    }
}
