using MirrorD.Core;
using MirrorD.Core.Metadata;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Metadata;

/// <summary>
/// Writes changed pages of the dirty map durably, a few groups of neighbouring pages in flight at once.
/// Calls that wait while a batch is written are served together by the next batch, which takes whatever is
/// changed when it begins: also pages whose write failed before, so that no later call reports them as
/// stored.
/// </summary>
internal sealed class DirtyPageWriter : IDisposable
{
    /// <summary>Neighbouring pages that go out in one write.</summary>
    public const int PagesPerWrite = 16;

    /// <summary>Writes in flight at once.</summary>
    private const int Writes = 4;

    private readonly IIoLoop _loop;
    private readonly Group[] _groups = new Group[Writes];
    private readonly Queue<(DirtyMap Map, Action<int> Done)> _queue = new();
    private readonly List<Action<int>> _served = [];
    private readonly Action _finish;
    private DirtyMap? _map;
    private MetadataLayout? _layout;
    private int[] _pages = [];
    private int _volumeIndex;
    private int _pageCount;
    private int _nextPage;
    private int _inFlight;
    private int _error;

    public DirtyPageWriter(IIoLoop loop, Func<MetadataIo> newIo)
    {
        _loop = loop;
        _finish = Finish;
        for (int i = 0; i < _groups.Length; i++)
        {
            _groups[i] = new Group(newIo(), GroupWritten);
        }
    }

    public bool IsBusy => _map is not null || _queue.Count > 0;

    /// <summary>Which volume, and where its pages lie.</summary>
    public void Begin(int volumeIndex, MetadataLayout layout)
    {
        _volumeIndex = volumeIndex;
        _layout = layout;
        _pages = new int[layout.PageCount];
    }

    public void Store(DirtyMap map, Action<int> done)
    {
        Invariant.Require(map.PageCount >= _pages.Length, "the map describes this volume");
        _queue.Enqueue((map, done));
        if (_map is null)
        {
            StartBatch();
        }
    }

    public void Dispose()
    {
        foreach (Group group in _groups)
        {
            group.Buffer.Dispose();
        }
    }

    private void StartBatch()
    {
        _map = _queue.Peek().Map;
        if (_map.PageCount > _pages.Length)
        {
            // The volume grew; where a page lies does not depend on how many there are.
            _layout = new MetadataLayout(_map.VolumeBytes);
            _pages = new int[_map.PageCount];
        }

        while (_queue.TryPeek(out (DirtyMap Map, Action<int> Done) waiting) && waiting.Map == _map)
        {
            _served.Add(waiting.Done);
            _queue.Dequeue();
        }

        _pageCount = 0;
        _nextPage = 0;
        _error = 0;
        for (int page = _map.TakeChangedPage(); page >= 0; page = _map.TakeChangedPage())
        {
            _pages[_pageCount++] = page;
        }

        foreach (Group group in _groups)
        {
            WriteNext(group);
        }

        if (_inFlight == 0)
        {
            // Nothing to write; still nobody is called back before the call returned.
            _loop.Post(_finish);
        }
    }

    private void WriteNext(Group group)
    {
        if (_nextPage == _pageCount)
        {
            return;
        }

        group.FirstPage = _pages[_nextPage];
        group.Pages = 0;
        while (_nextPage < _pageCount && group.Pages < PagesPerWrite
            && _pages[_nextPage] == group.FirstPage + group.Pages)
        {
            Span<byte> block = group.Buffer.Span.Slice(
                group.Pages * DirtyPageCodec.LengthBytes, DirtyPageCodec.LengthBytes);
            DirtyPageCodec.Begin(block, _pages[_nextPage], _volumeIndex);
            _map!.CopyPage(_pages[_nextPage], DirtyPageCodec.Bits(block));
            DirtyPageCodec.Seal(block);
            group.Pages++;
            _nextPage++;
        }

        _inFlight++;
        group.Write(_layout!.PageOffset(group.FirstPage));
    }

    private void GroupWritten(Group group, int error)
    {
        _inFlight--;
        if (error != 0)
        {
            _error = _error == 0 ? error : _error;
            for (int i = 0; i < group.Pages; i++)
            {
                _map!.MarkPageChanged(group.FirstPage + i);
            }
        }

        WriteNext(group);
        if (_inFlight == 0)
        {
            Finish();
        }
    }

    private void Finish()
    {
        // Calls made from these callbacks only queue, since the batch has not ended yet.
        foreach (Action<int> done in _served)
        {
            done(_error);
        }

        _served.Clear();
        _map = null;
        if (_queue.Count > 0)
        {
            StartBatch();
        }
    }

    private sealed class Group
    {
        private readonly MetadataIo _io;
        private readonly Action<int> _written;

        public Group(MetadataIo io, Action<Group, int> written)
        {
            _io = io;
            _written = error => written(this, error);
        }

        public IoBuffer Buffer { get; } = new(PagesPerWrite * DirtyPageCodec.LengthBytes);

        public int FirstPage { get; set; }

        public int Pages { get; set; }

        public void Write(long offset) =>
            _io.WriteDurably(offset, Buffer.Slice(0, Pages * DirtyPageCodec.LengthBytes), _written);
    }
}
