using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Tls;

/// <summary>
/// Where a TLS session reads from and writes to: memory that its owner names anew for each call, so that records are
/// copied once on each way and nothing is allocated.
/// </summary>
internal unsafe struct TlsBio
{
    private static readonly nint s_method = MakeMethod();

    /// <summary>What has been received and not been read yet.</summary>
    public byte* In;

    /// <summary>Its length.</summary>
    public int InBytes;

    /// <summary>Where to write; null: what is written is lost (alerts of a session that has failed).</summary>
    public byte* Out;

    /// <summary>Room there.</summary>
    public int OutRoomBytes;

    /// <summary>Bytes written.</summary>
    public int OutBytes;

    /// <summary>A BIO over this memory, which lives until the session has freed it.</summary>
    public static nint Make(TlsBio* memory)
    {
        nint bio = Bio.BIO_new(s_method);
        Bio.BIO_set_data(bio, (nint)memory);
        Bio.BIO_set_init(bio, 1);
        return bio;
    }

    private static nint MakeMethod()
    {
        fixed (byte* name = "mirrord"u8)
        {
            nint method = Bio.BIO_meth_new(Bio.BIO_get_new_index() | Bio.BIO_TYPE_SOURCE_SINK, name);
            _ = Bio.BIO_meth_set_read(method, &Read);
            _ = Bio.BIO_meth_set_write(method, &Write);
            _ = Bio.BIO_meth_set_ctrl(method, &Control);
            return method;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(nint bio, byte* into, int length)
    {
        var memory = (TlsBio*)Bio.BIO_get_data(bio);
        Bio.BIO_clear_flags(bio, Bio.BIO_FLAGS_READ | Bio.BIO_FLAGS_SHOULD_RETRY);
        int count = Math.Min(length, memory->InBytes);
        if (count <= 0)
        {
            Bio.BIO_set_flags(bio, Bio.BIO_FLAGS_READ | Bio.BIO_FLAGS_SHOULD_RETRY);
            return -1;
        }

        Buffer.MemoryCopy(memory->In, into, count, count);
        memory->In += count;
        memory->InBytes -= count;
        return count;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(nint bio, byte* from, int length)
    {
        var memory = (TlsBio*)Bio.BIO_get_data(bio);
        if (memory->Out is null)
        {
            return length;
        }

        if (length > memory->OutRoomBytes - memory->OutBytes)
        {
            return -1;
        }

        Buffer.MemoryCopy(from, memory->Out + memory->OutBytes, length, length);
        memory->OutBytes += length;
        return length;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Control(nint bio, int command, long number, nint pointer) => command == Bio.BIO_CTRL_FLUSH ? 1 : 0;
}
