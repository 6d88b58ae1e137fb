using System.Text.Json;

namespace MirrorD.Benchmarks;

/// <summary>
/// What one run of fio measured; of reads and writes together, but for times: those are of the writes, if any.
/// </summary>
/// <param name="PerSecond">Requests each second.</param>
/// <param name="BytesPerSecond">Bytes each second.</param>
/// <param name="MedianUs">Half of the requests took at most so many microseconds, from submission to completion.</param>
/// <param name="TailUs">99 of 100.</param>
internal sealed record Figures(double PerSecond, double BytesPerSecond, double MedianUs, double TailUs)
{
    /// <summary>Reads fio's JSON.</summary>
    /// <param name="output">Its output; what it said before the JSON is skipped.</param>
    /// <param name="files">Files that were each given the same work: what one of them got is told.</param>
    public static Figures Read(string output, int files)
    {
        using JsonDocument document = JsonDocument.Parse(output[output.IndexOf('{')..]);
        JsonElement job = document.RootElement.GetProperty("jobs")[0];
        if (job.GetProperty("error").GetInt32() is not 0 and var error)
        {
            throw new InvalidDataException($"fio ended with error {error}:\n{output}");
        }

        JsonElement write = job.GetProperty("write");
        JsonElement done = write.GetProperty("total_ios").GetInt64() > 0 ? write : job.GetProperty("read");
        JsonElement percentiles = done.GetProperty("clat_ns").GetProperty("percentile");
        double Percentile(string which) => percentiles.GetProperty($"{which}.000000").GetDouble() / 1000;
        double Both(string figure) =>
            (write.GetProperty(figure).GetDouble() + job.GetProperty("read").GetProperty(figure).GetDouble()) / files;
        return new Figures(
            Both("iops"), Both("bw_bytes"),
            Percentile("50"), Percentile("99"));
    }
}
