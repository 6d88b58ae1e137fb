using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;

namespace MirrorD.Daemon.Storage;

/// <summary>
/// Writes a <see cref="JsonLinesFile{T}"/> from a task of its own, so that a slow disk never holds up who adds
/// something.
/// </summary>
internal sealed class JsonLinesLog<T> : IAsyncDisposable
    where T : class
{
    private readonly JsonLinesFile<T> _file;
    private readonly Action<Exception> _writeFailed;
    private readonly Channel<T> _unwritten;
    private readonly Task _writing;

    /// <summary>Reads what is there and begins to write.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fullBytes">Size at which it is put aside.</param>
    /// <param name="type">Form of a line.</param>
    /// <param name="kept">How many of the last lines are read.</param>
    /// <param name="writeFailed">Told when lines can't be stored; once until they can again.</param>
    public JsonLinesLog(
        string path, long fullBytes, JsonTypeInfo<T> type, int kept, Action<Exception> writeFailed)
    {
        _file = new JsonLinesFile<T>(path, fullBytes, type);
        _writeFailed = writeFailed;
        _unwritten = Channel.CreateBounded<T>(new BoundedChannelOptions(10 * kept)
        {
            FullMode = BoundedChannelFullMode.DropOldest,
            SingleReader = true,
        });
        try
        {
            Earlier = _file.ReadLast(kept);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            writeFailed(failed);
        }

        _writing = Task.Run(Write);
    }

    /// <summary>What the file held at the start, oldest first.</summary>
    public IReadOnlyList<T> Earlier { get; } = [];

    /// <summary>Adds a line; never blocks on storage.</summary>
    public void Add(T line) => _unwritten.Writer.TryWrite(line);

    /// <summary>Stores what was added so far and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _unwritten.Writer.TryComplete();
        await _writing;
    }

    private async Task Write()
    {
        bool told = false;
        while (await _unwritten.Reader.WaitToReadAsync())
        {
            var batch = new List<T>();
            while (_unwritten.Reader.TryRead(out T? line))
            {
                batch.Add(line);
            }

            try
            {
                _file.Append(batch);
                told = false;
            }
            catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
            {
                if (!told)
                {
                    _writeFailed(failed);
                }

                told = true;
            }
        }
    }
}
