using System.Buffers.Text;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace MirrorD.Daemon.Memory;

/// <summary>
/// How often anybody on this machine who wanted memory had to look for it himself, because none was free: the sum of the
/// kernel's counters allocstall_* (mm/vmstat.c). Each look allocates nothing.
/// </summary>
internal sealed class DirectReclaims : IDisposable
{
    /// <summary>The kernel's counters.</summary>
    public const string KernelCounters = "/proc/vmstat";

    private readonly SafeFileHandle _file;
    private readonly byte[] _text = new byte[64 << 10];

    /// <summary>Opens the counters, which are text of lines "name number"; an IOException says what is wrong.</summary>
    public DirectReclaims(string path = KernelCounters) => _file = File.OpenHandle(path, share: FileShare.ReadWrite);

    private static ReadOnlySpan<byte> Name => "allocstall"u8;

    /// <summary>The count by now, which only grows; null where the kernel does not count.</summary>
    public long? Count()
    {
        int length = 0;
        while (length < _text.Length && RandomAccess.Read(_file, _text.AsSpan(length), length) is var read and > 0)
        {
            length += read;
        }

        long? sum = null;
        ReadOnlySpan<byte> text = _text.AsSpan(0, length);
        foreach (Range line in text.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> counter = text[line];
            if (counter.StartsWith(Name)
                && Utf8Parser.TryParse(counter[(counter.IndexOf((byte)' ') + 1)..], out long value, out _))
            {
                sum = (sum ?? 0) + value;
            }
        }

        return sum;
    }

    public void Dispose() => _file.Dispose();
}
