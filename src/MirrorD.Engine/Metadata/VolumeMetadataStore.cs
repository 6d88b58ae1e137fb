using MirrorD.Core;
using MirrorD.Core.Metadata;
using MirrorD.Engine.Control;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Metadata;

/// <summary>
/// The stored metadata of one volume (docs/internals/metadata-layout.md). Used on the loop's thread; every
/// callback comes later, from the loop, never before the call has returned. Errors are positive errnos, 0 is
/// success. After an error the disk may hold the old or the new state: nothing may rely on either until a
/// later store of the same part has succeeded.
/// </summary>
public sealed partial class VolumeMetadataStore : IDisposable
{
    private readonly IIoLoop _loop;
    private readonly VolumeOptions _volume;
    private readonly MetadataArea _area;
    private readonly MetadataIo _loadIo;
    private readonly SuperblockWriter _superblocks;
    private readonly ActivityLogWriter _log;
    private readonly DirtyPageWriter _pages;
    private MetadataLoader? _loader;
    private bool _isLoaded;

    /// <summary>Allocates the buffers; reads nothing yet.</summary>
    public VolumeMetadataStore(IIoLoop loop, VolumeOptions volume)
    {
        _loop = loop;
        _volume = volume;
        _area = new MetadataArea(volume.Metadata, volume.MetadataOffset, volume.MetadataBytes);
        MetadataIo NewIo() => new(loop, _area);
        _loadIo = NewIo();
        _superblocks = new SuperblockWriter(NewIo());
        _log = new ActivityLogWriter(NewIo());
        _pages = new DirtyPageWriter(loop, NewIo);
    }

    /// <summary>The last superblock that was stored completely, or found at load.</summary>
    public Superblock Current => _superblocks.Current
        ?? throw new InvariantViolation($"the metadata of volume {_volume.Name} has been loaded");

    /// <summary>
    /// The last superblock that was asked to be stored, whether or not it is yet: what the next one is made
    /// from, so that no change is lost between two calls.
    /// </summary>
    public Superblock Latest => _superblocks.Latest
        ?? throw new InvariantViolation($"the metadata of volume {_volume.Name} has been loaded");

    /// <summary>Something is being read or written, or waits to be.</summary>
    public bool IsBusy => _loader is not null || _area.IsHeld || _superblocks.IsBusy || _log.IsBusy || _pages.IsBusy;

    /// <summary>
    /// Reads and activates the metadata: the extents of the activity log go into the dirty map, durably, and
    /// then an empty log is stored. Called once, before anything else.
    /// </summary>
    public void Load(Action<MetadataLoad> done)
    {
        Invariant.Require(_loader is null && !_isLoaded, "metadata is loaded once");
        _loader = new MetadataLoader(_loop, _volume, _area, _loadIo, _superblocks, _log, _pages, load =>
        {
            _loader!.Dispose();
            _loader = null;
            _isLoaded = load.IsUsable;
            if (_isLoaded)
            {
                _volume.MetadataPlaced?.Invoke(_area.Offset);
            }

            done(load);
        });
        _loader.Start();
    }

    /// <summary>
    /// Stores a superblock in both slots, durably, and completes after both. Calls are served in order. The
    /// sequence is given here; the one in <paramref name="next"/> does not matter.
    /// </summary>
    public void StoreSuperblock(Superblock next, Action<int> done)
    {
        Invariant.Require(_isLoaded, "metadata is loaded before it is stored");
        _superblocks.Store(next, done);
    }

    /// <summary>
    /// Stores one activity-log transaction, durably: the whole set of active extents. None may be in flight.
    /// Allocates nothing. After an error the disk may hold the old set or the new one.
    /// </summary>
    /// <param name="extents">
    /// Ascending, each once, at most <see cref="ActivityLogCodec.MaximumExtents"/>; copied before the call
    /// returns.
    /// </param>
    /// <param name="done">Called with 0 or an errno.</param>
    public void StoreActivityLog(ReadOnlySpan<uint> extents, Action<int> done)
    {
        Invariant.Require(_isLoaded, "metadata is loaded before it is stored");
        _log.Store(extents, done);
    }

    /// <summary>
    /// Stores all pages that are changed at the call, durably, and completes when they are; also when another
    /// call is already writing some of them. A page that changes while it is written stays changed. Calls are
    /// served in order. A page whose write failed counts as changed again.
    /// </summary>
    public void StoreDirtyPages(DirtyMap map, Action<int> done)
    {
        Invariant.Require(_isLoaded, "metadata is loaded before it is stored");
        _pages.Store(map, done);
    }

    /// <summary>
    /// Frees the buffers. Nothing may be pending (<see cref="IsBusy"/>), unless the loop is gone.
    /// </summary>
    public void Dispose()
    {
        _loader?.Dispose();
        _superblocks.Dispose();
        _log.Dispose();
        _pages.Dispose();
    }
}
