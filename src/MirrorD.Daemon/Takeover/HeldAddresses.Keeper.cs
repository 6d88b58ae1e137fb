using System.Net;
using MirrorD.Configuration;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Daemon.Takeover;

internal sealed partial class HeldAddresses
{
    /// <summary>
    /// Looks after the addresses of one claim until it ends. Told of changes by a <see cref="LinkWatch"/>, on
    /// that one's thread: they are only noted there.
    /// </summary>
    private sealed class Keeper(HeldAddresses held, Claim claim) : ILinkObserver
    {
        // Changes are told; this is for what could not be done at once, and for changes that were not told.
        private const long CheckMs = 5_000;
        private const long RetryMs = 1_000;
        private const long ConflictSilenceMs = 60_000;
        private const string Loopback = "lo";

        // Who stood still for a while, as a whole or with its machine, may have lost the right meanwhile and
        // not have noticed yet: until the rest of the daemon has looked, it must neither call clients back nor
        // add what somebody removed.
        private const long OversleptMs = 1_000;
        private const long QuietMs = 3_000;
        private const long LookMs = 500;

        private readonly Lock _gate = new();
        private readonly AutoResetEvent _hasNews = new(initialState: false);
        private readonly HashSet<string> _changedLinks = [];
        private readonly Queue<(InterfaceAddress Address, EthernetAddress Mac)> _conflicts = [];
        private bool _isAddressGone;
        private string? _watchFailure;

        private readonly Dictionary<ServiceAddressConfiguration, AnnouncementSchedule> _schedules =
            held._addresses.Where(address => address.Interface != Loopback).ToDictionary(
                address => address, _ => new AnnouncementSchedule(held._nowMs()));

        // Told once, until it works again: kind of event and address.
        private readonly HashSet<(string Kind, object? About)> _failing = [];
        private readonly HashSet<ServiceAddressConfiguration> _wereThere = [.. held.There];
        private readonly Dictionary<EthernetAddress, long> _conflictToldMs = [];
        private LinkWatch? _watch;
        private long _checkMs = held._nowMs();

        /// <summary>Ends with the claim.</summary>
        public bool Run()
        {
            // What Acquire could not do was told with its answer.
            _failing.UnionWith(
                held._addresses.Except(_wereThere).Select(each => ("address-failed", (object?)each)));
            long expectedMs = held._nowMs();
            long quietUntilMs = expectedMs;
            while (held.MayHold(claim))
            {
                long nowMs = held._nowMs();
                quietUntilMs = nowMs - expectedMs > OversleptMs ? nowMs + QuietMs : quietUntilMs;
                if (nowMs >= quietUntilMs)
                {
                    DoWhatIsDue();
                }

                long nextMs = _schedules.Values.Select(schedule => schedule.DueMs).Append(_checkMs).Min();
                long waitMs = long.Clamp(long.Max(nextMs, quietUntilMs) - held._nowMs(), 0, LookMs);
                // Counted from before the work: it may have stood still in there.
                expectedMs = nowMs + waitMs;
                WaitHandle.WaitAny([claim.Ended, _hasNews], (int)waitMs);
            }

            _watch?.Dispose();
            return true;
        }

        private void DoWhatIsDue()
        {
            AnnounceWhatIsDue();
            if (TakeAddressGone() || held._nowMs() >= _checkMs)
            {
                _checkMs = held._nowMs() + (Check() ? CheckMs : RetryMs);
            }

            TellConflicts();
            BeginAnewAtChangedLinks();
        }

        void ILinkObserver.AddressGone(InterfaceAddress address) => Note(() => _isAddressGone = true);

        void ILinkObserver.MacChanged(string interfaceName) => Note(() => _changedLinks.Add(interfaceName));

        void ILinkObserver.CarrierChanged(string interfaceName, bool hasCarrier)
        {
            if (hasCarrier)
            {
                Note(() => _changedLinks.Add(interfaceName));
            }
        }

        void ILinkObserver.ForeignAnnouncement(InterfaceAddress address, EthernetAddress mac) => Note(() =>
        {
            // A storm of them is told once a minute anyway.
            if (_conflicts.Count < 100)
            {
                _conflicts.Enqueue((address, mac));
            }
        });

        void ILinkObserver.WatchFailed(IOException cause) => Note(() => _watchFailure = cause.Message);

        private void Note(Action note)
        {
            lock (_gate)
            {
                note();
            }

            _hasNews.Set();
        }

        private bool TakeAddressGone()
        {
            lock (_gate)
            {
                bool isGone = _isAddressGone;
                _isAddressGone = false;
                return isGone;
            }
        }

        private void AnnounceWhatIsDue()
        {
            foreach ((ServiceAddressConfiguration address, AnnouncementSchedule schedule) in _schedules)
            {
                if (schedule.TakeDue(held._nowMs()))
                {
                    Tell("announcement-failed", address, held.Announce(claim, address));
                }
            }
        }

        /// <summary>Puts in order what is not; false when that did not succeed.</summary>
        private bool Check()
        {
            // Before the addresses: what goes from now on is told.
            bool isGood = Tell("address-watch-failed", null, Watch());
            isGood &= Tell("address-list-failed", null, held.WriteFile(claim));
            foreach (ServiceAddressConfiguration address in held._addresses)
            {
                string? failure = held.Add(claim, address, out bool isNew);
                isGood &= Tell("address-failed", address, failure);
                if (isNew)
                {
                    Restored(address);
                }
            }

            return isGood;
        }

        private void Restored(ServiceAddressConfiguration address)
        {
            bool wasThere = !_wereThere.Add(address);
            held._raise(
                wasThere ? "address-restored" : "address-added",
                wasThere
                    ? $"The service address {address} was gone and is added again."
                    : $"The service address {address} could be added now.");
            if (_schedules.TryGetValue(address, out AnnouncementSchedule? schedule))
            {
                schedule.Begin(held._nowMs());
            }
        }

        private string? Watch()
        {
            lock (_gate)
            {
                if (_watch is not null && _watchFailure is null)
                {
                    return null;
                }

                _watchFailure = null;
            }

            _watch?.Dispose();
            _watch = null;
            return Failure(() => _watch = new LinkWatch([], held._addresses.Select(OnInterface), this));
        }

        private void TellConflicts()
        {
            (InterfaceAddress Address, EthernetAddress Mac)[] conflicts;
            lock (_gate)
            {
                conflicts = [.. _conflicts];
                _conflicts.Clear();
            }

            long nowMs = held._nowMs();
            foreach ((InterfaceAddress address, EthernetAddress mac) in conflicts)
            {
                if (!_conflictToldMs.TryGetValue(mac, out long toldMs) || nowMs - toldMs >= ConflictSilenceMs)
                {
                    _conflictToldMs[mac] = nowMs;
                    held._raise(
                        "address-conflict",
                        $"{mac} claims the service address {address} that this node holds: find that host, " +
                        "and take the address from it.");
                }
            }
        }

        private void BeginAnewAtChangedLinks()
        {
            string[] changed;
            lock (_gate)
            {
                changed = [.. _changedLinks];
                _changedLinks.Clear();
            }

            foreach ((ServiceAddressConfiguration address, AnnouncementSchedule schedule) in _schedules)
            {
                if (changed.Contains(address.Interface))
                {
                    schedule.Begin(held._nowMs());
                }
            }
        }

        /// <summary>Tells a failure once until it is over; true when there is none.</summary>
        private bool Tell(string kind, object? about, string? failure)
        {
            if (failure is null)
            {
                _failing.Remove((kind, about));
            }
            else if (_failing.Add((kind, about)))
            {
                held._raise(kind, failure);
            }

            return failure is null;
        }
    }
}
