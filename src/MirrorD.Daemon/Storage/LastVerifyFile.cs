using System.Text.Json;
using MirrorD.Api;
using MirrorD.Configuration.NodeState;

namespace MirrorD.Daemon.Storage;

/// <summary>
/// The last verify of a resource, over restarts of the daemon. Written beside the loop: a slow disk holds nothing up.
/// </summary>
internal sealed class LastVerifyFile
{
    private readonly string _path;
    private readonly Action<Exception> _writeFailed;
    private readonly Lock _gate = new();

    /// <summary>Reads what is there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="writeFailed">Told when it can't be read or written.</param>
    public LastVerifyFile(string path, Action<Exception> writeFailed)
    {
        _path = path;
        _writeFailed = writeFailed;
        try
        {
            Last = File.Exists(path)
                ? JsonSerializer.Deserialize(File.ReadAllBytes(path), ApiJson.Compact.VerifyReport) : null;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or JsonException)
        {
            writeFailed(failed);
        }
    }

    /// <summary>The last one; null before the first.</summary>
    public VerifyReport? Last { get; private set; }

    /// <summary>Another one has ended.</summary>
    public Task Keep(VerifyReport verify)
    {
        Last = verify;
        return Task.Run(() =>
        {
            try
            {
                lock (_gate)
                {
                    DurableFile.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(verify, ApiJson.Compact.VerifyReport),
                        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
                }
            }
            catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
            {
                _writeFailed(failed);
            }
        });
    }
}
