using Mono.Unix.Native;

namespace MirrorD.Control.Inspection;

/// <summary>
/// Reads a device or file that another process may hold. .NET's own files would try to lock it, and be
/// refused.
/// </summary>
internal sealed class RawDevice : IDisposable
{
    private readonly int _descriptor;

    private RawDevice(int descriptor) => _descriptor = descriptor;

    /// <summary>Opens for reading.</summary>
    /// <exception cref="IOException">It can't be opened; the message names path and cause.</exception>
    public static RawDevice Open(string path)
    {
        int descriptor = Syscall.open(path, OpenFlags.O_RDONLY | OpenFlags.O_CLOEXEC);
        return descriptor >= 0
            ? new RawDevice(descriptor)
            : throw new IOException($"Cannot open {path}: {Stdlib.strerror(Stdlib.GetLastError())}");
    }

    /// <summary>Fills the span; false when that is not possible.</summary>
    public unsafe bool TryRead(long offset, Span<byte> into)
    {
        fixed (byte* start = into)
        {
            for (int done = 0; done < into.Length;)
            {
                long count = Syscall.pread(
                    _descriptor, start + done, (ulong)(into.Length - done), offset + done);
                if (count <= 0)
                {
                    return false;
                }

                done += (int)count;
            }
        }

        return true;
    }

    public void Dispose() => Syscall.close(_descriptor);
}
