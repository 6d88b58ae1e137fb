using MirrorD.Configuration;
using MirrorD.Daemon.Threads;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Daemon.Takeover;

/// <summary>
/// The service addresses of a resource, by netlink. While held they are announced, added again when something
/// deletes them, and watched for others who claim them. Invariants: nothing is added or announced once the
/// right to hold was cancelled or a release was asked for; a release waits for nothing but one call of the
/// kernel.
/// </summary>
internal sealed partial class HeldAddresses : IServiceAddresses, IDisposable
{
    private static readonly TimeSpan s_retryInterval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<ServiceAddressConfiguration> _addresses;
    private readonly HeldAddressFile _file;
    private readonly Action<string, string> _raise;
    private readonly Func<long> _nowMs;
    private readonly OwnThread _keeping = new("addresses");
    private readonly OwnThread _releasing = new("address release");

    // Held for one call of the kernel at a time.
    private readonly Lock _gate = new();
    private readonly HashSet<ServiceAddressConfiguration> _there = [];

    // What the last call asked for; a call that came before it has no effect any more.
    private Claim _last = new(mayHold: null);

    /// <summary>
    /// Nothing is added yet. Its threads run in the network namespace of the calling thread.
    /// </summary>
    /// <param name="addresses">The addresses of the resource on this node.</param>
    /// <param name="file">
    /// Path of the list for the release helper, see <see cref="HeldAddressFile"/>; null: none.
    /// </param>
    /// <param name="raise">Told what happened: kind and message of an event.</param>
    /// <param name="nowMs">A clock in milliseconds; null: <see cref="BootClock"/>.</param>
    public HeldAddresses(
        IReadOnlyList<ServiceAddressConfiguration> addresses, string? file, Action<string, string> raise,
        Func<long>? nowMs = null)
    {
        _nowMs = nowMs ?? (() => BootClock.NowMs);
        _addresses = addresses;
        _file = new HeldAddressFile(file);
        _raise = raise;
    }

    /// <summary>True while this node holds the address.</summary>
    public bool IsHeld(ServiceAddressConfiguration address)
    {
        lock (_gate)
        {
            return _there.Contains(address);
        }
    }

    private ServiceAddressConfiguration[] There
    {
        get
        {
            lock (_gate)
            {
                return [.. _there];
            }
        }
    }

    /// <summary>Removes what an earlier daemon left behind; its role ended with it.</summary>
    /// <returns>The addresses that were there.</returns>
    /// <exception cref="IOException">One can't be removed.</exception>
    public IReadOnlyList<ServiceAddressConfiguration> RemoveLeftovers()
    {
        ServiceAddressConfiguration[] removed =
        [
            // Listed and no longer configured: nobody else would ever remove it.
            .. _addresses.Union(_file.Listed()).Where(each => ServiceAddress.Remove(each.Interface, each.Address)),
        ];
        return _file.Remove(isStillWanted: () => true) is { } failure
            ? throw new IOException(failure)
            : removed;
    }

    public Task<IReadOnlyList<string>> Acquire(CancellationToken mayHold)
    {
        var claim = new Claim(mayHold);
        Supersede(claim);
        if (_addresses.Count == 0)
        {
            return Task.FromResult<IReadOnlyList<string>>([]);
        }

        Task<IReadOnlyList<string>> added = _keeping.Do(() => AddAll(claim));
        Task<bool> kept = _keeping.Do(() => new Keeper(this, claim).Run());
        _ = kept.ContinueWith(
            ended => _raise(
                "address-watch-failed",
                "Nobody looks after the service addresses any more: " +
                ended.Exception!.GetBaseException().Message),
            CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return added;
    }

    public Task Release()
    {
        var claim = new Claim(mayHold: null);
        Supersede(claim);
        return _releasing.Do(() =>
        {
            for (bool isFirst = true; RemoveAll(claim) is { } failure; isFirst = false)
            {
                if (isFirst)
                {
                    _raise("address-stuck", $"A service address can't be removed, trying again: {failure}");
                }

                Volatile.Read(ref _last).Ended.WaitOne(s_retryInterval);
            }

            if (_file.Remove(isStillWanted: () => IsLast(claim)) is { } problem)
            {
                _raise("address-list-failed", problem);
            }

            return true;
        });
    }

    /// <summary>Ends the threads; for tests, when all is released.</summary>
    public void Dispose()
    {
        Volatile.Read(ref _last).End();
        _keeping.Dispose();
        _releasing.Dispose();
    }

    private static InterfaceAddress OnInterface(ServiceAddressConfiguration address) =>
        new(address.Interface, address.Address, address.PrefixLength);

    private static string? Failure(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (IOException failed)
        {
            return failed.Message;
        }
    }

    private void Supersede(Claim claim) => Interlocked.Exchange(ref _last, claim).End();

    private bool IsLast(Claim claim) => ReferenceEquals(Volatile.Read(ref _last), claim);

    /// <summary>A later release, on the same thread, does not end an earlier one: who waits for it relies on it.</summary>
    private bool IsAcquiredAfter(Claim release) =>
        Volatile.Read(ref _last) is var last && last != release && last.MayHold is not null;

    private bool MayHold(Claim claim) => IsLast(claim) && claim.MayHold is { IsCancellationRequested: false };

    /// <summary>Adds and announces all; what failed.</summary>
    private IReadOnlyList<string> AddAll(Claim claim)
    {
        List<string?> failures = [WriteFile(claim)];
        failures.AddRange(_addresses.Select(address => Add(claim, address, out _)));
        return [.. failures.OfType<string>()];
    }

    private string? WriteFile(Claim claim) => _file.Write(_addresses, () => MayHold(claim));

    /// <summary>Adds an address if it may be held; a sentence when that failed.</summary>
    private string? Add(Claim claim, ServiceAddressConfiguration address, out bool isNew)
    {
        bool isAdded = false;
        string? failure = null;
        lock (_gate)
        {
            if (MayHold(claim))
            {
                failure = Failure(() => isAdded = ServiceAddress.Add(OnInterface(address)));
                _ = failure is null ? _there.Add(address) : _there.Remove(address);
            }
        }

        isNew = isAdded;
        return failure;
    }

    /// <summary>
    /// Announces an address if it is held; a sentence when that failed. Under the gate: after the release the
    /// peer announces it, and a late announcement would call its clients back here.
    /// </summary>
    private string? Announce(Claim claim, ServiceAddressConfiguration address)
    {
        lock (_gate)
        {
            return MayHold(claim) && _there.Contains(address)
                ? Failure(() => AddressAnnouncer.Announce(address.Interface, address.Address))
                : null;
        }
    }

    private string? RemoveAll(Claim claim)
    {
        string? failure = null;
        foreach (ServiceAddressConfiguration address in _addresses)
        {
            lock (_gate)
            {
                if (IsAcquiredAfter(claim))
                {
                    return null;
                }

                string? problem = Failure(() => ServiceAddress.Remove(address.Interface, address.Address));
                failure ??= problem;
                if (problem is null)
                {
                    _there.Remove(address);
                }
            }
        }

        return failure;
    }

    /// <summary>What a call of Acquire or Release asked for.</summary>
    private sealed class Claim(CancellationToken? mayHold)
    {
        /// <summary>The right to hold; null: a release.</summary>
        public CancellationToken? MayHold { get; } = mayHold;

        /// <summary>Set when a later call has taken its place.</summary>
        public ManualResetEvent Ended { get; } = new(initialState: false);

        public void End() => Ended.Set();
    }
}
