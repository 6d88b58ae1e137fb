using System.Net.Sockets;
using MirrorD.Formats.Nbd;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Scratch;

/// <summary>Does what the kernel's nbd driver does, one request at a time, and looks at what comes back.</summary>
internal sealed class ScratchClient : IDisposable
{
    // Both sizes below and above what is copied between socket and slot, and one of several slots.
    private static readonly int[] s_lengths = [4 << 10, 64 << 10, 512 << 10];

    private readonly Socket _socket;
    private byte _pattern = 1;
    private ulong _cookies;

    /// <summary>Takes the kernel's end of the pair.</summary>
    public ScratchClient(StreamPair pair)
    {
        nint end = pair.KernelEnd.DangerousGetHandle();

        // One owner only: the pair's finalizer would close the number once more, when it is long another file's.
        pair.KernelEnd.SetHandleAsInvalid();
        _socket = new Socket(new SafeSocketHandle(end, ownsHandle: true))
        {
            ReceiveTimeout = ScratchPair.LimitMs,
            SendTimeout = ScratchPair.LimitMs,
        };
    }

    /// <summary>Every kind of request, in the sizes that take ways of their own.</summary>
    /// <exception cref="IOException">A reply is an error, or other bytes than were written.</exception>
    public void UseEverything()
    {
        try
        {
            foreach (int length in s_lengths)
            {
                byte[] data = new byte[length];
                data.AsSpan().Fill(_pattern++);
                Call(NbdCommand.Write, 0, length, data, NbdCommandFlags.None, []);
                Call(NbdCommand.Write, length, length, data, NbdCommandFlags.ForceUnitAccess, []);
                byte[] read = new byte[length];
                Call(NbdCommand.Read, 0, length, [], NbdCommandFlags.None, read);
                if (!read.AsSpan().SequenceEqual(data))
                {
                    throw new IOException($"a read of {length} bytes does not give what was written");
                }
            }

            Call(NbdCommand.Flush, 0, 0, [], NbdCommandFlags.None, []);
            Call(NbdCommand.WriteZeroes, 0, 8 << 10, [], NbdCommandFlags.NoHole, []);
            Call(NbdCommand.Trim, 8 << 10, 8 << 10, [], NbdCommandFlags.None, []);
            Call(NbdCommand.Flush, 0, 0, [], NbdCommandFlags.None, []);
        }
        catch (SocketException failed)
        {
            throw new IOException($"the connection of the scratch volume failed: {failed.Message}", failed);
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Call(
        NbdCommand command, long offset, int length, byte[] payload, NbdCommandFlags flags, byte[] answer)
    {
        byte[] header = new byte[NbdRequestHeader.SizeBytes];
        new NbdRequestHeader(flags, command, ++_cookies, (ulong)offset, (uint)length).Encode(header);
        Send(header);
        Send(payload);
        byte[] reply = new byte[NbdSimpleReplyHeader.SizeBytes];
        Receive(reply);
        if (!NbdSimpleReplyHeader.TryDecode(reply, out NbdSimpleReplyHeader got) || got.Cookie != _cookies)
        {
            throw new IOException($"the reply to a {command} on the scratch volume is none");
        }

        if (got.Error != NbdError.None)
        {
            throw new IOException($"a {command} on the scratch volume failed: {got.Error}");
        }

        Receive(answer);
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    private void Receive(Span<byte> into)
    {
        while (into.Length > 0)
        {
            int got = _socket.Receive(into);
            into = got > 0 ? into[got..] : throw new IOException("the connection of the scratch volume ended");
        }
    }
}
