using MirrorD.Configuration;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Daemon.Takeover;

/// <summary>
/// The service addresses of a resource, by netlink. Adding and removing exclude one another, and nothing is
/// added once the right to hold was cancelled. While held they are announced again and re-added when
/// something deletes them.
/// </summary>
internal sealed class HeldAddresses : IServiceAddresses
{
    // Receivers ignore an update within a second of the last one, so the burst outlasts that.
    private static readonly TimeSpan[] s_announcements =
        [TimeSpan.Zero, TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(1.3), TimeSpan.FromSeconds(2.5)];

    private static readonly TimeSpan s_checkInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_announceInterval = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_retryInterval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<ServiceAddressConfiguration> _addresses;
    private readonly Action<string, string> _raise;
    private readonly Lock _gate = new();
    private readonly HashSet<ServiceAddressConfiguration> _held = [];
    private CancellationTokenSource _holding = new();

    /// <summary>Nothing is added yet.</summary>
    /// <param name="addresses">The addresses of the resource on this node.</param>
    /// <param name="raise">Told what happened: kind and message of an event.</param>
    public HeldAddresses(IReadOnlyList<ServiceAddressConfiguration> addresses, Action<string, string> raise)
    {
        _addresses = addresses;
        _raise = raise;
    }

    /// <summary>True while this node holds the address.</summary>
    public bool IsHeld(ServiceAddressConfiguration address)
    {
        lock (_gate)
        {
            return _held.Contains(address);
        }
    }

    /// <summary>Removes what an earlier daemon left behind; its role ended with it.</summary>
    /// <returns>The addresses that were there.</returns>
    /// <exception cref="IOException">One can't be removed.</exception>
    public IReadOnlyList<ServiceAddressConfiguration> RemoveLeftovers() =>
        [.. _addresses.Where(address => ServiceAddress.Remove(address.Interface, address.Address))];

    public Task<IReadOnlyList<string>> Acquire(CancellationToken mayHold) => Task.Run(() =>
    {
        var failures = new List<string>();
        lock (_gate)
        {
            if (mayHold.IsCancellationRequested || _addresses.Count == 0)
            {
                return (IReadOnlyList<string>)failures;
            }

            foreach (ServiceAddressConfiguration address in _addresses)
            {
                Try(() => ServiceAddress.Add(OnInterface(address)), failures);
                // Held in any case: it is tried again, and it is removed with the others.
                _held.Add(address);
            }

            _holding = new CancellationTokenSource();
            _ = Announce(_holding.Token);
            _ = Keep(_holding.Token);
        }

        return failures;
    });

    public async Task Release()
    {
        bool told = false;
        while (await Task.Run(RemoveAll) is { } failure)
        {
            if (!told)
            {
                _raise("address-stuck", $"A service address can't be removed, trying again: {failure}");
            }

            told = true;
            await Task.Delay(s_retryInterval);
        }
    }

    private static InterfaceAddress OnInterface(ServiceAddressConfiguration address) =>
        new(address.Interface, address.Address, address.PrefixLength);

    private static bool Try(Action action, List<string> failures)
    {
        try
        {
            action();
            return true;
        }
        catch (IOException failed)
        {
            failures.Add(failed.Message);
            return false;
        }
    }

    private string? RemoveAll()
    {
        lock (_gate)
        {
            _holding.Cancel();
            var failures = new List<string>();
            foreach (ServiceAddressConfiguration address in _addresses)
            {
                if (Try(() => ServiceAddress.Remove(address.Interface, address.Address), failures))
                {
                    _held.Remove(address);
                }
            }

            return failures.FirstOrDefault();
        }
    }

    private async Task Announce(CancellationToken holding)
    {
        TimeSpan last = TimeSpan.Zero;
        foreach (TimeSpan at in s_announcements)
        {
            if (at > last && !await Pause(at - last, holding))
            {
                return;
            }

            last = at;
            AnnounceNow(holding, told: at != TimeSpan.Zero);
        }
    }

    private async Task Keep(CancellationToken holding)
    {
        TimeSpan sinceAnnounced = TimeSpan.Zero;
        while (await Pause(s_checkInterval, holding))
        {
            sinceAnnounced += s_checkInterval;
            if (AddMissing(holding) || sinceAnnounced >= s_announceInterval)
            {
                sinceAnnounced = TimeSpan.Zero;
                AnnounceNow(holding, told: true);
            }
        }
    }

    private bool AddMissing(CancellationToken holding)
    {
        var failures = new List<string>();
        bool isAdded = false;
        lock (_gate)
        {
            foreach (ServiceAddressConfiguration address in _held.Where(
                _ => !holding.IsCancellationRequested))
            {
                bool wasMissing = false;
                Try(() => wasMissing = ServiceAddress.Add(OnInterface(address)), failures);
                if (wasMissing)
                {
                    isAdded = true;
                    _raise("address-restored", $"The service address {address} was gone and is added again.");
                }
            }
        }

        return isAdded;
    }

    private void AnnounceNow(CancellationToken holding, bool told)
    {
        foreach (ServiceAddressConfiguration address in _addresses)
        {
            var failures = new List<string>();
            // Not under the gate: a late announcement of an address that is gone is harmless, a late removal
            // is not.
            if (!holding.IsCancellationRequested && !IsLoopback(address)
                && !Try(() => AddressAnnouncer.Announce(address.Interface, address.Address), failures) && !told)
            {
                _raise("announcement-failed", failures[0]);
            }
        }
    }

    private static bool IsLoopback(ServiceAddressConfiguration address) => address.Interface == "lo";

    private static async Task<bool> Pause(TimeSpan time, CancellationToken holding)
    {
        try
        {
            await Task.Delay(time, holding);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
