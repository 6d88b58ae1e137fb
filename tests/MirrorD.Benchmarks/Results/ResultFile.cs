using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MirrorD.Benchmarks.Results;

/// <summary>
/// A file of JSON lines: first what was measured on, then one line for each run of fio. It is written as the runs end, so
/// that what was measured before an interruption is there.
/// </summary>
internal sealed class ResultFile : IDisposable
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly StreamWriter _file;

    /// <summary>Makes it, named by the time.</summary>
    /// <param name="directory">Where; made if it is not there.</param>
    public ResultFile(string directory)
    {
        Directory.CreateDirectory(directory);
        DateTime now = DateTime.UtcNow;
        string name = now.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        Path = System.IO.Path.Combine(directory, $"{name}.jsonl");
        _file = new StreamWriter(Path) { AutoFlush = true };
        Write(new
        {
            at = now,
            kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Split('-')[0].Trim(),
            processor = File.ReadLines("/proc/cpuinfo")
                .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim(),
            processors = Environment.ProcessorCount,
        });
    }

    public string Path { get; }

    /// <summary>Adds a run; what is null is not in its line.</summary>
    /// <param name="comparison">Name of what it belongs to.</param>
    /// <param name="round">From 1.</param>
    /// <param name="workload">What was done.</param>
    /// <param name="contender">By whom.</param>
    /// <param name="figures">How fast.</param>
    /// <param name="memory">Files lay in memory.</param>
    /// <param name="pinned">Everything shared one processor.</param>
    /// <param name="counts">What was counted beside it.</param>
    public void Add(
        string comparison, int round, Workload workload, string contender, Figures figures, bool? memory = null,
        bool? pinned = null, object? counts = null) => Write(new
    {
        at = DateTime.UtcNow,
        load = Load(),
        comparison,
        memory,
        pinned,
        round,
        workload = workload.ToString(),
        contender,
        per_second = Math.Round(figures.PerSecond, 1),
        bytes_per_second = Math.Round(figures.BytesPerSecond),
        p50_us = Math.Round(figures.MedianUs, 1),
        p99_us = Math.Round(figures.TailUs, 1),
        counts,
    });

    /// <summary>Adds a line of another form.</summary>
    /// <param name="study">What it belongs to.</param>
    /// <param name="line">Its figures.</param>
    public void Add(string study, object line) => Write(new
    {
        at = DateTime.UtcNow,
        load = Load(),
        comparison = study,
        figures = line,
    });

    public void Dispose() => _file.Dispose();

    private void Write<T>(T line) => _file.WriteLine(JsonSerializer.Serialize(line, s_options));

    private static double Load() =>
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
}
