using System.Globalization;
using MirrorD.Lab.Processes;

namespace MirrorD.Benchmarks.Contenders;

/// <summary>Something that is measured; it is ready to serve.</summary>
/// <param name="name">Its name in results.</param>
/// <param name="target">What fio needs to reach it.</param>
/// <param name="processes">The processes that do its work.</param>
/// <param name="files">See <see cref="Figures.Read"/>.</param>
/// <param name="fill">fio's words to write all that is measured; null: the first <see cref="Workload.Bytes"/>.</param>
internal sealed class Contender(
    string name, IReadOnlyList<string> target, Func<IReadOnlyList<LabProcess>> processes, int files = 1,
    IReadOnlyList<string>? fill = null)
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(2);

    public string Name => name;

    /// <summary>Runs fio against it.</summary>
    /// <param name="workload">What is done.</param>
    /// <param name="seconds">So long.</param>
    /// <param name="processors">All of it and fio run on these, as taskset writes them.</param>
    public Figures Run(Workload workload, double seconds, string processors)
    {
        foreach (LabProcess process in processes())
        {
            // Each time: it may have begun threads since.
            Tool.Run("taskset", "--all-tasks", "--cpu-list", "--pid", processors,
                process.Id.ToString(CultureInfo.InvariantCulture)).Require();
        }

        ToolResult result = Tool.RunWithin(
            s_deadline, "taskset", ["--cpu-list", processors, "fio", .. workload.Arguments(seconds), .. target]).Require();
        return Figures.Read(result.Output, files);
    }

    /// <summary>
    /// Writes all that is measured once: a file system takes room that was never written in another way.
    /// </summary>
    public void Fill() => Tool.RunWithin(
        s_deadline, "fio",
        [
            "--name=fill", "--end_fsync=1", .. fill ?? ["--rw=write", "--bs=128k", "--iodepth=4", $"--size={Workload.Bytes}"],
            .. target,
        ]).Require();

    /// <summary>What one needs to look at it: fio's words to reach it and its processes.</summary>
    public string Describe() =>
        $"{name}: fio {string.Join(' ', target)}; processes {string.Join(' ', processes().Select(each => each.Id))}";

    public override string ToString() => name;
}
