using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MirrorD.Benchmarks.Results;

/// <summary>
/// A file of JSON lines: first what was measured on, then one line for each run of fio. It is written as the runs end, so
/// that what was measured before an interruption is there.
/// </summary>
internal sealed class ResultFile : IDisposable
{
    private static readonly JsonSerializerOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
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

    /// <summary>Adds a run.</summary>
    public void Add(Comparison comparison, int round, Workload workload, string contender, Figures figures) => Write(new
    {
        at = DateTime.UtcNow,
        load = Load(),
        comparison = comparison.Name,
        memory = comparison.IsInMemory,
        pinned = comparison.IsPinned,
        round,
        workload = workload.ToString(),
        contender,
        per_second = Math.Round(figures.PerSecond, 1),
        bytes_per_second = Math.Round(figures.BytesPerSecond),
        p50_us = Math.Round(figures.MedianUs, 1),
        p99_us = Math.Round(figures.TailUs, 1),
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

    /// <summary>Adds a line as it is.</summary>
    public void Write<T>(T line) => _file.WriteLine(JsonSerializer.Serialize(line, s_options));

    public void Dispose() => _file.Dispose();

    private static double Load() =>
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
}
