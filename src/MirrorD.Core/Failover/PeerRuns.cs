using MirrorD.Formats.Watch;

namespace MirrorD.Core.Failover;

/// <summary>
/// Tells live datagrams of the peer from recordings (docs/internals/watch-protocol.md, "Fresh and stale").
/// Each side echoes the other's challenge; what echoes the present one was sent after it was made. The
/// challenge is replaced whenever another run of the peer becomes the trusted one, and by <see
/// cref="Renew"/>, so that no datagram of an earlier run can ever answer it. Allocates nothing.
/// </summary>
public sealed class PeerRuns
{
    /// <summary>Control messages this many numbers behind the newest are taken for repeated.</summary>
    private const int WindowBits = 64;

    /// <summary>So many runs that were trusted once are remembered.</summary>
    private const int MostFormer = 32;

    private readonly ulong[] _former = new ulong[MostFormer];
    private int _formers;
    private Run _trusted;
    private Run _newcomer;

    /// <summary>Nothing is known of the peer.</summary>
    /// <param name="paths">Number of paths to it.</param>
    /// <param name="challenge">Random, not zero.</param>
    public PeerRuns(int paths, ulong challenge)
    {
        _trusted = new Run(paths);
        _newcomer = new Run(paths);
        Renew(challenge);
    }

    /// <summary>What this node wants echoed.</summary>
    public ulong Challenge { get; private set; }

    /// <summary>
    /// The trusted run has changed: <see cref="Renew"/> must follow before the next datagram.
    /// </summary>
    public bool NeedsChallenge { get; private set; }

    /// <summary>The run of the peer that proved to be alive; zero before the first.</summary>
    public ulong Instance => _trusted.Instance;

    /// <summary>What to echo to the trusted run; zero before the first.</summary>
    public ulong Echo => _trusted.Challenge;

    /// <summary>What to echo to a run that has proven nothing yet; zero when there is none.</summary>
    public ulong NewcomerEcho => _newcomer.Challenge;

    /// <summary>
    /// The last datagram judged was the newest heartbeat of its run over all paths: what it tells is the
    /// latest.
    /// </summary>
    public bool IsNewest { get; private set; }

    /// <summary>
    /// The last datagram judged says that its sender hears this run of this process over the path: what it
    /// says to another run, or of it, does not count.
    /// </summary>
    public bool PeerHears { get; private set; }

    /// <summary>From now on only what echoes this counts as fresh.</summary>
    /// <param name="challenge">Random, not zero, never used before.</param>
    public void Renew(ulong challenge)
    {
        Invariant.Require(challenge != 0 && challenge != Challenge, "a challenge is new and not zero");
        Challenge = challenge;
        NeedsChallenge = false;
    }

    /// <summary>Judges a datagram whose MAC is right. A control message counts only when fresh.</summary>
    /// <param name="path">Path over which it came.</param>
    /// <param name="header">Its header.</param>
    public Hearing Judge(int path, in WatchHeader header)
    {
        Invariant.Require(!NeedsChallenge, "another run of the peer is met with a new challenge");
        IsNewest = false;
        PeerHears = header.HearsReceiver && header.Echo == Challenge;
        bool answers = header.Answers(Challenge);
        bool isNumbered = header.Instance != 0 && header.Challenge != 0 && header.Sequence != 0;
        if (!isNumbered || (header.Type == WatchDatagramType.Control && !answers))
        {
            return Hearing.Stale;
        }

        bool isTrusted = header.Instance == _trusted.Instance;
        if (!isTrusted && _former.AsSpan().Contains(header.Instance))
        {
            // That process has ended: what it said is a recording.
            return Hearing.Stale;
        }

        if (!isTrusted && header.Instance != _newcomer.Instance)
        {
            _newcomer.Begin(header.Instance);
        }

        if (!Take(isTrusted ? _trusted : _newcomer, path, header))
        {
            return Hearing.Stale;
        }

        if (!answers)
        {
            return Hearing.Heard;
        }

        if (!isTrusted)
        {
            _former[_formers++ % MostFormer] = _trusted.Instance;
            (_trusted, _newcomer) = (_newcomer, _trusted);
            _newcomer.Begin(0);
            NeedsChallenge = true;
        }

        return Hearing.Fresh;
    }

    private bool Take(Run run, int path, in WatchHeader header)
    {
        bool isNew = header.Type switch
        {
            WatchDatagramType.Heartbeat => run.TakeHeartbeat(path, header.Sequence),
            WatchDatagramType.Control => run.TakeControl(header.Sequence),
        };
        if (!isNew)
        {
            return false;
        }

        if (header.Sequence > run.Highest)
        {
            run.Highest = header.Sequence;
            run.Challenge = header.Challenge;
            IsNewest = header.Type == WatchDatagramType.Heartbeat;
        }

        return true;
    }

    /// <summary>One process of the peer.</summary>
    private sealed class Run(int paths)
    {
        private readonly ulong[] _highestOnPath = new ulong[paths];
        private ulong _highestControl;
        private ulong _controlsSeen;

        public ulong Instance { get; private set; }

        public ulong Challenge { get; set; }

        public ulong Highest { get; set; }

        public void Begin(ulong instance)
        {
            Instance = instance;
            Challenge = 0;
            Highest = 0;
            _highestControl = 0;
            _controlsSeen = 0;
            Array.Clear(_highestOnPath);
        }

        /// <summary>
        /// Within one path heartbeats stay in order; one that comes late tells nothing new.
        /// </summary>
        public bool TakeHeartbeat(int path, ulong sequence)
        {
            bool isNew = sequence > _highestOnPath[path];
            if (isNew)
            {
                _highestOnPath[path] = sequence;
            }

            return isNew;
        }

        /// <summary>
        /// The same message comes over several paths, and over a slow one after its successors.
        /// </summary>
        public bool TakeControl(ulong sequence)
        {
            if (sequence > _highestControl)
            {
                ulong step = sequence - _highestControl;
                _controlsSeen = (step < WindowBits ? _controlsSeen << (int)step : 0) | 1;
                _highestControl = sequence;
                return true;
            }

            ulong behind = _highestControl - sequence;
            ulong bit = behind < WindowBits ? 1ul << (int)behind : 0;
            bool isNew = bit != 0 && (_controlsSeen & bit) == 0;
            _controlsSeen |= bit;
            return isNew;
        }
    }
}
