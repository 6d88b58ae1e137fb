using System.Globalization;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Clients;

/// <summary>
/// Between a client and an export: nbdkit, which passes everything on and writes down when each request was sent and
/// answered, and how.
/// </summary>
public sealed class AcknowledgementLog
{
    private static int s_logs;
    private readonly string _log;

    /// <summary>Starts it in front of an export.</summary>
    public AcknowledgementLog(Lab lab, string export)
    {
        string name = $"acknowledgements-{Interlocked.Increment(ref s_logs)}";
        Socket = Path.Combine(lab.Directory, $"{name}.socket");
        _log = Path.Combine(lab.Directory, $"{name}.log");
        LabProcess server = lab.Start(
            name, "env", "TZ=UTC", "nbdkit", "--foreground", "--unix", Socket, "--filter=log", "nbd",
            $"socket={export}", $"logfile={_log}");
        Wait.For("the log of acknowledgements to listen", 10, () => File.Exists(Socket), () => server.Tail());
    }

    /// <summary>Where the client connects to.</summary>
    public string Socket { get; }

    /// <summary>When successful replies to writes had arrived, in UTC, in order.</summary>
    public IReadOnlyList<DateTime> Writes() => [.. Replies("Write", isSuccess: true)];

    /// <summary>When failed replies to writes had arrived.</summary>
    public IReadOnlyList<DateTime> FailedWrites() => [.. Replies("Write", isSuccess: false)];

    // "2026-01-31 12:00:00.000001 connection=1 ...Write id=7 return=0", or "return=-1 error=EIO …"
    private IEnumerable<DateTime> Replies(string request, bool isSuccess)
    {
        using var stream = new FileStream(_log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        string[] lines = reader.ReadToEnd().Split('\n');
        foreach (string line in lines.SkipLast(1))
        {
            string[] words = line.Split(' ');
            if (words.Length >= 6 && words[3] == $"...{request}" && words[5] == "return=0" == isSuccess)
            {
                yield return DateTime.ParseExact(
                    $"{words[0]} {words[1]}", "yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
            }
        }
    }
}
