using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using MirrorD.Configuration;
using MirrorD.Core.Failover;
using MirrorD.Daemon.Threads;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Daemon.Takeover;

/// <summary>
/// What this node asks of its production network: whether somebody else has the service addresses, and whether a
/// gateway answers. Questions end by themselves. Gateways are asked by threads that are always there: a Primary that lost
/// its peer waits for the answer, and a new thread could wait for memory that only this Primary can make free. They work in
/// the network namespace of who made this.
/// </summary>
/// <param name="addresses">The addresses of the resource on this node.</param>
/// <param name="probe">How to ask for them.</param>
/// <param name="production">The networks of the clients, as this node has them.</param>
internal sealed class NeighbourQuestions(
    IReadOnlyList<ServiceAddressConfiguration> addresses, AddressProbeConfiguration probe,
    IReadOnlyList<NetworkConfiguration> production) : IDisposable
{
    // Shorter than the evidence is good for.
    private const int GatewayLimitMs = 1000;
    private const int PauseMs = 100;
    private const string Loopback = "lo";

    private readonly (NetworkConfiguration Network, OwnThread Thread)[] _gateways =
    [
        .. production.Where(network => network.Gateway is not null)
            .Select(network => (network, new OwnThread("gateway", continuesHere: true))),
    ];

    /// <summary>Asks for all addresses at once.</summary>
    /// <returns>
    /// Null: nobody answers. Else a clause such as "192.0.2.7 is held by 02:00:00:00:00:01", or the reason why
    /// nobody could be asked, as silence then says nothing.
    /// </returns>
    public async Task<string?> WhoHoldsAddresses()
    {
        if (probe.Count == 0)
        {
            return null;
        }

        string?[] answers = await Task.WhenAll(
            addresses.Where(address => address.Interface != Loopback).Select(address => Apart(() => WhoHas(address))));
        return answers.FirstOrDefault(answer => answer is not null);
    }

    /// <summary>Asks all gateways at once; one that answers is enough.</summary>
    public async Task<GatewayEvidence> AskGateways()
    {
        if (_gateways.Length > 0)
        {
            GatewayEvidence[] answers = await Task.WhenAll(
                _gateways.Select(gateway => gateway.Thread.Do(() => AskGateway(gateway.Network))));
            return answers.Contains(GatewayEvidence.Answers) ? GatewayEvidence.Answers
                : answers.Contains(GatewayEvidence.Unknown) ? GatewayEvidence.Unknown
                : answers.Contains(GatewayEvidence.Silent) ? GatewayEvidence.Silent
                : GatewayEvidence.NoCarrier;
        }

        return await Apart(() => production.Count == 0 || production.Any(network => HasCarrier(DeviceOf(network)))
            ? GatewayEvidence.NotConfigured
            : GatewayEvidence.NoCarrier);
    }

    /// <summary>Ends the threads when their questions have ended.</summary>
    public void Dispose() => Array.ForEach(_gateways, gateway => gateway.Thread.Dispose());

    private static Task<T> Apart<T>(Func<T> question) => Task.Factory.StartNew(
        question, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private string? WhoHas(ServiceAddressConfiguration address)
    {
        try
        {
            return NeighbourProbe.WhoHas(
                address.Interface, address.Address, CancellationToken.None, probe.Count, probe.IntervalMs) is { } owner
                    ? $"{address.Address} is held by {owner}"
                    : null;
        }
        catch (IOException failed)
        {
            return $"nobody could be asked who has {address.Address} ({failed.Message.TrimEnd('.')})";
        }
    }

    private static GatewayEvidence AskGateway(NetworkConfiguration network)
    {
        string? device = DeviceOf(network);
        if (!HasCarrier(device))
        {
            return GatewayEvidence.NoCarrier;
        }

        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            int leftMs = GatewayLimitMs - (int)Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            try
            {
                return NeighbourProbe.Ask(
                    device!, network.Gateway!, network.Address, Math.Max(1, leftMs), CancellationToken.None) is null
                        ? GatewayEvidence.Silent
                        : GatewayEvidence.Answers;
            }
            catch (IOException) when (!HasCarrier(device))
            {
                return GatewayEvidence.NoCarrier;
            }
            catch (IOException)
            {
                // It could not be asked, for want of memory for example: that is no silence.
                if (leftMs <= PauseMs)
                {
                    return GatewayEvidence.Unknown;
                }

                Thread.Sleep(PauseMs);
            }
        }
    }

    private static bool HasCarrier(string? device)
    {
        try
        {
            return device is not null && NetworkDevice.HasCarrier(device);
        }
        catch (IOException)
        {
            // It is not there: no network either.
            return false;
        }
    }

    private static string? DeviceOf(NetworkConfiguration network) => network.Interface ?? DeviceWith(network.Address);

    private static string? DeviceWith(IPAddress address) => NetworkInterface.GetAllNetworkInterfaces()
        .FirstOrDefault(device => device.GetIPProperties().UnicastAddresses.Any(own => own.Address.Equals(address)))
        ?.Name;
}
