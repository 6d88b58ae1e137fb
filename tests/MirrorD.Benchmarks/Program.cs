using System.Globalization;
using MirrorD.Benchmarks;

// What epoll and threads cost beside io_uring: 'loops DIRECTORY', on whose file system the disks are.
if (args is ["loops", string directory])
{
    LoopComparison.Print(directory, rounds: 3);
    return;
}

// What encryption of the link costs: two pairs of real daemons on this machine, one of them with 'encryption: off', measured in
// turn. Needs root, and a machine that does nothing else.
int rounds = args is [string text] ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : 5;
using var plain = new MeasuredPair("off");
using var sealedLink = new MeasuredPair("on");
var results = new Dictionary<string, (List<double> Plain, List<double> Sealed)>();
for (int round = 0; round <= rounds; round++)
{
    foreach (Workload workload in Workload.All)
    {
        // Whoever is second finds another machine than whoever is first.
        MeasuredPair[] order = round % 2 == 0 ? [plain, sealedLink] : [sealedLink, plain];
        foreach (MeasuredPair pair in order)
        {
            foreach ((string name, double value) in pair.Run(workload))
            {
                if (!results.TryGetValue(name, out (List<double> Plain, List<double> Sealed) values))
                {
                    results.Add(name, values = ([], []));
                }

                // The first round is for what is compiled or allocated at its first use.
                if (round > 0)
                {
                    (pair == plain ? values.Plain : values.Sealed).Add(value);
                }
            }
        }
    }

    Console.WriteLine($"round {round} of {rounds}, load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}");
}

Console.WriteLine($"{"",-28} {"off",-24} {"on",-24} on/off");
foreach ((string name, (List<double> off, List<double> on)) in results)
{
    Console.WriteLine(FormattableString.Invariant(
        $"{name,-28} {Spread(off),-24} {Spread(on),-24} {Median(on) / Median(off):0.00}"));
}

return;

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

static string Spread(List<double> values) =>
    FormattableString.Invariant($"{Median(values):0.0} ({values.Min():0.0}-{values.Max():0.0})");
