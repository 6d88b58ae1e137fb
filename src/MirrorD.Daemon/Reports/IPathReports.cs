using MirrorD.Api;

namespace MirrorD.Daemon.Reports;

/// <summary>Who knows on which networks the other nodes are heard.</summary>
internal interface IPathReports
{
    /// <summary>All paths as they are now, by peer; called from any thread, never blocks.</summary>
    IReadOnlyList<PathReport> Paths();
}
