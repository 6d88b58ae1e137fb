using System.Text;
using Mono.Unix.Native;

namespace MirrorD.Configuration.NodeState;

/// <summary>Files with secrets: they belong to root, or to who runs this, and are open to nobody else.</summary>
internal static class PrivateFile
{
    /// <summary>Their mode.</summary>
    public const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Mode of the directories that hold nothing but such files.</summary>
    public const UnixFileMode DirectoryMode = Mode | UnixFileMode.UserExecute;

    /// <summary>Reads one.</summary>
    /// <param name="file">Which.</param>
    /// <param name="missing">What is wrong when it is not there.</param>
    /// <param name="remedy">What to do then.</param>
    /// <exception cref="NodeStateException">It is missing, or open to others, or can't be read.</exception>
    public static string Read(string file, string missing, string remedy)
    {
        try
        {
            Require(file);
            return File.ReadAllText(file);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new NodeStateException($"{missing}: there is no {file}", remedy);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException($"{file} can't be read: {failed.Message.TrimEnd('.')}", "run this as root");
        }
    }

    /// <summary>Writes one durably, in the place of a former one; makes its directory.</summary>
    /// <exception cref="NodeStateException">It can't be written.</exception>
    public static void Write(string file, string text) => Guarded(file, () =>
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!, DirectoryMode);
        DurableFile.Replace(file, Encoding.ASCII.GetBytes(text), Mode);
    });

    /// <summary>Refuses a file that others can read, or that belongs to somebody else.</summary>
    /// <exception cref="NodeStateException">It is so.</exception>
    public static void Require(string file)
    {
        UnixFileMode mode = File.GetUnixFileMode(file);
        if ((mode & ~Mode) != 0)
        {
            throw new NodeStateException(
                $"the private key in {file} is open to others (mode {Convert.ToString((int)mode, 8)})",
                $"chmod 600 {file}; if somebody may have read it, see 'Keys that got out' in docs/operating/security.md");
        }

        RequireOwner(file);
    }

    /// <summary>Refuses what belongs to somebody else.</summary>
    /// <exception cref="NodeStateException">It is so.</exception>
    public static void RequireOwner(string path)
    {
        if (Syscall.stat(path, out Stat found) == 0 && found.st_uid != 0 && found.st_uid != Syscall.geteuid())
        {
            throw new NodeStateException(
                $"{path} belongs to the user with number {found.st_uid}", $"chown root: {path}, and see what is in it");
        }
    }

    /// <summary>Writes something, and says of what fails which file it was.</summary>
    /// <exception cref="NodeStateException">It failed.</exception>
    public static void Guarded(string file, Action write)
    {
        try
        {
            write();
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException(
                $"{file} can't be written: {failed.Message.TrimEnd('.')}", "run this as root, and check the disk");
        }
    }
}
