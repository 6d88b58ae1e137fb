using System.Diagnostics;

namespace MirrorD.Io.Tests.Linux;

/// <summary>The independent witness of packets: tcpdump on an interface of a host.</summary>
internal sealed class PacketCapture : IDisposable
{
    private readonly Process _process;

    /// <summary>Starts it and waits until it listens.</summary>
    /// <param name="host">Where.</param>
    /// <param name="interfaceName">On which interface.</param>
    /// <param name="filter">What to see, as in pcap-filter(7).</param>
    /// <param name="count">How many packets.</param>
    public PacketCapture(NetworkNamespace host, string interfaceName, string filter, int count)
    {
        var start = new ProcessStartInfo("nsenter", [
            host.EnterOption, "timeout", "20",
            "tcpdump", "-i", interfaceName, "-Q", "in", "-c", $"{count}", "-e", "-n", "-l", "-tt", filter])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        string? line;
        do
        {
            line = _process.StandardError.ReadLine();
            Assert.True(line is not null, "tcpdump ended before it listened");
        }
        while (!line.Contains("listening on", StringComparison.Ordinal));
    }

    /// <summary>The next packet as one line, waited for; begins with its time in seconds.</summary>
    public string Next(string what) =>
        _process.StandardOutput.ReadLine() ?? throw new TimeoutException($"waited 20 s for {what}");

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }
}
