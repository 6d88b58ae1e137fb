using Mono.Unix.Native;

namespace MirrorD.Configuration.NodeState;

/// <summary>Small files that must be whole and on stable storage, or not there at all.</summary>
public static class DurableFile
{
    /// <summary>
    /// Makes a file that did not exist, with its contents and name on stable storage on return.
    /// </summary>
    /// <param name="path">Where.</param>
    /// <param name="contents">What.</param>
    /// <param name="mode">Access, e.g. 0600.</param>
    /// <returns>False when something of that name is there already; nothing was changed then.</returns>
    /// <exception cref="IOException">Storage failed; the message names the path and the cause.</exception>
    public static bool TryCreate(string path, ReadOnlySpan<byte> contents, UnixFileMode mode)
    {
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string temporary = Path.Combine(directory, $".{Path.GetFileName(path)}.{Guid.NewGuid():n}.tmp");
        try
        {
            WriteFlushed(temporary, contents, mode);
            if (Syscall.link(temporary, path) != 0)
            {
                Errno error = Stdlib.GetLastError();
                return error == Errno.EEXIST
                    ? false
                    : throw new IOException($"{path}: {Stdlib.strerror(error)}");
            }

            FlushDirectory(directory);
            return true;
        }
        finally
        {
            Syscall.unlink(temporary);
        }
    }

    /// <summary>Puts a file in the place of the one of that name, if any: after a crash it is the old or the new one.</summary>
    /// <exception cref="IOException">Storage failed; the message names the path and the cause.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> contents, UnixFileMode mode)
    {
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string temporary = Path.Combine(directory, $".{Path.GetFileName(path)}.{Guid.NewGuid():n}.tmp");
        try
        {
            WriteFlushed(temporary, contents, mode);
            File.Move(temporary, path, overwrite: true);
            FlushDirectory(directory);
        }
        finally
        {
            Syscall.unlink(temporary);
        }
    }

    /// <summary>Writes a new file and flushes it; its name may still be lost with the power.</summary>
    public static void WriteFlushed(string path, ReadOnlySpan<byte> contents, UnixFileMode mode)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            UnixCreateMode = mode,
            BufferSize = 0,
        });
        file.Write(contents);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Puts the names in a directory on stable storage.</summary>
    public static void FlushDirectory(string path)
    {
        int descriptor = Syscall.open(path, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY);
        if (descriptor < 0)
        {
            throw new IOException($"{path}: {Stdlib.strerror(Stdlib.GetLastError())}");
        }

        int result = Syscall.fsync(descriptor);
        Errno error = Stdlib.GetLastError();
        Syscall.close(descriptor);
        if (result != 0)
        {
            throw new IOException($"{path}: {Stdlib.strerror(error)}");
        }
    }
}
