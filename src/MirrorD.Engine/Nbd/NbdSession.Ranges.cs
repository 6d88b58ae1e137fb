using MirrorD.Core;
using MirrorD.Core.Volumes;
using MirrorD.Formats.Nbd;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <content>Requests without data: flush, trim, write zeroes, block status.</content>
internal sealed partial class NbdSession
{
    private readonly IoOperation _query;
    private PendingRequest? _asking;
    private NbdExtent[] _extents = [];
    private int _extentCount;
    private int _queries;

    private void SubmitFlush(PendingRequest request)
    {
        bool rented = TryRentPiece(request, 0, out Piece piece);
        Invariant.Require(rented, "a request is taken up when there is a piece for it");
        Submit(piece, VolumeOperation.Flush, 0, 0, request.ReceivedNs);
    }

    private void BeginRange(PendingRequest request)
    {
        // Asked for although it is not offered, e.g. by a kernel whose device was made when it was: a hint, and nothing
        // would be won.
        bool isUseless = request.Header.Command == NbdCommand.Trim && !_export!.Volume.CanTrim;
        if (request.LeftBytes == 0 || isUseless)
        {
            _replies.Enqueue(request);
            return;
        }

        bool rented = TryRentPiece(request, 0, out Piece piece);
        Invariant.Require(rented, "a request is taken up when there is a piece for it");
        SubmitRange(piece, request, request.ReceivedNs);
    }

    private void SubmitRange(Piece piece, PendingRequest request, long sinceNs)
    {
        long offset = request.NextOffset;
        long bytes = Math.Min(request.LeftBytes, SessionLimits.RangePieceBytes);
        request.NextOffset += bytes;
        bool trim = request.Header.Command == NbdCommand.Trim;
        Submit(piece, trim ? VolumeOperation.Discard : VolumeOperation.Zero, offset, bytes, sinceNs);
    }

    private void OnRangeDone(Piece piece, PendingRequest request)
    {
        // A trim is a hint: a volume that can't discard has done all that was asked.
        bool ignored = piece.Io.Operation == VolumeOperation.Discard && piece.Io.Error == Errno.EOPNOTSUPP;
        if (!ignored)
        {
            FailOnError(piece, request, "the range could not be changed");
        }

        if (!ignored && request.Error == NbdError.None && request.LeftBytes > 0)
        {
            SubmitRange(piece, request, _loop.NowNs);
            return;
        }

        ReleasePiece(piece);
        _replies.Enqueue(request);
    }

    private void BeginBlockStatus(PendingRequest request)
    {
        if (_extents.Length == 0)
        {
            _extents = new NbdExtent[SessionLimits.Extents];
        }

        _asking = request;
        _extentCount = 0;
        _queries = 0;
        AskOn(request);
    }

    private void AskOn(PendingRequest request)
    {
        _queries++;
        _export!.Volume.QueryAllocation(request.NextOffset, request.LeftBytes, _query);
    }

    private void OnAllocation(IoOperation query)
    {
        bool wasRunning = _running;
        _running = true;
        if (_phase != Phase.Closing)
        {
            OnExtent(query, _asking!);
        }

        _running = wasRunning;
        Run();
    }

    private void OnExtent(IoOperation query, PendingRequest request)
    {
        if (query.Result == -Errno.EOPNOTSUPP)
        {
            AddExtent(request, request.LeftBytes, NbdAllocationState.Data);
        }
        else if (query.Result <= 0)
        {
            // What was learned before is worth a reply; the client asks again from there.
            if (_extentCount == 0)
            {
                int errno = query.Result < 0 ? -query.Result : Errno.EIO;
                request.Fail(ErrorOf(errno), "the allocation is not known");
            }

            _replies.Enqueue(request);
            return;
        }
        else
        {
            AddRun(request, query.Result, query.IsHole);
        }

        bool one = (request.Header.Flags & NbdCommandFlags.OneExtent) != 0;
        bool full = _extentCount == _extents.Length || _queries == SessionLimits.QueriesPerBlockStatus;
        if (request.LeftBytes == 0 || one || full)
        {
            _replies.Enqueue(request);
            return;
        }

        AskOn(request);
    }

    /// <summary>Rounds the run to whole blocks: a block that is a hole only in part counts as data.</summary>
    private void AddRun(PendingRequest request, int runBytes, bool isHole)
    {
        int blockBytes = _export!.Volume.BlockBytes;
        long whole = runBytes / blockBytes * (long)blockBytes;
        if (isHole && whole > 0)
        {
            const NbdAllocationState Hole = NbdAllocationState.Hole | NbdAllocationState.Zero;
            AddExtent(request, Math.Min(whole, request.LeftBytes), Hole);
            return;
        }

        long up = whole == runBytes ? whole : whole + blockBytes;
        AddExtent(request, Math.Min(up, request.LeftBytes), NbdAllocationState.Data);
    }

    private void AddExtent(PendingRequest request, long bytes, NbdAllocationState state)
    {
        request.NextOffset += bytes;
        int last = _extentCount - 1;
        if (last >= 0 && _extents[last].State == state)
        {
            _extents[last] = new NbdExtent(_extents[last].LengthBytes + (uint)bytes, state);
            return;
        }

        _extents[_extentCount++] = new NbdExtent((uint)bytes, state);
    }
}
