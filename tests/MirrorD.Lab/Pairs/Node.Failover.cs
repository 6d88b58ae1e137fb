using System.Text.Json;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Pairs;

/// <summary>What can happen to a node, and what it tells of itself.</summary>
public sealed partial class Node
{
    /// <summary>Each call of the notification command so far.</summary>
    public IReadOnlyList<Notification> Notifications => Notification.Read(_notifications);

    /// <summary>True while the daemon that was started last runs.</summary>
    public bool IsRunning => _daemon?.IsRunning == true;

    internal string NotifyCommand => Notification.Command(_notifications);

    /// <summary>
    /// Power cut of the whole host: nothing of it is heard any more, not even that its daemon is gone.
    /// </summary>
    public void LoseHost()
    {
        // Stopped first, so that nothing is said in between; without network before the kernel closes connections.
        Daemon.Send(Signals.Stop);
        _lab.Production.Disable(Host);
        _lab.Link.CutAt(Host);
        CutPower();
        Host.Forget(Lab.ServiceAddress);
    }

    /// <summary>The host starts again after <see cref="LoseHost"/>, its daemon with it.</summary>
    public void BringHostBack()
    {
        _lab.MendNetworks();
        RestorePower();
        StartAndWait();
    }

    /// <summary>
    /// What the service manager does when the daemon has died: the helper removes the service addresses, once the
    /// daemon has had its time to come back.
    /// </summary>
    public ToolResult RunReleaseHelper() =>
        Host.Run("sh", InRepository(Path.Combine("systemd", "mirrord-release")), RunDirectory).Require();

    /// <summary>
    /// Makes it Primary as an operator would, who asks again while the daemon is at it by itself.
    /// </summary>
    public void Promote()
    {
        ToolResult? answer = null;
        Wait.For(
            $"{Name} to be Primary", 30,
            () => Status().IsPrimary || (answer = Control("promote", Pair.ResourceName)).Succeeded,
            () => answer?.Text ?? "");
        WaitFor("to be Primary", 20, view => view.IsPrimary);
    }

    /// <summary>The arbiter's directory is not there any more, for this node.</summary>
    public void LoseArbiter() => File.Delete(_arbiter);

    /// <summary>The arbiter's directory is there.</summary>
    public void FindArbiter()
    {
        if (_sharedArbiter is not null && !Directory.Exists(_arbiter))
        {
            File.CreateSymbolicLink(_arbiter, _sharedArbiter);
        }
    }

    /// <summary>Kinds of the events that mirrorctl shows, those of class info left out; in order.</summary>
    public IReadOnlyList<string> EventKinds(long after = 0) =>
        [.. Lines("events", "--json", "--after", $"{after}")
            .Where(happened => happened.GetProperty("class").GetString() != "info")
            .Select(happened => happened.GetProperty("kind").GetString()!)];

    /// <summary>Number of the last event; 0 before the first.</summary>
    public long LastEvent() =>
        Lines("events", "--json").Select(happened => happened.GetProperty("sequence").GetInt64()).LastOrDefault();

    /// <summary>What mirrorctl shows of takeovers and releases on this node; oldest first.</summary>
    public IReadOnlyList<RoleChange> History() =>
        [.. Control("history", "--json").Require().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(RoleChange.Parse)];

    /// <summary>What mirrorctl explains.</summary>
    public string Explain() => Control("explain", Pair.ResourceName).Require().Output;

    /// <summary>State of each path to the peer, by kind of the network; empty when the daemon does not answer.</summary>
    public IReadOnlyDictionary<string, string> Paths()
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(_api.Get("/v1/status"));
            return document.RootElement.GetProperty("paths").EnumerateArray().ToDictionary(
                path => path.GetProperty("kind").GetString()!, path => path.GetProperty("state").GetString()!);
        }
        catch (HttpRequestException)
        {
            return new Dictionary<string, string>();
        }
    }

    internal string MountArbiter(string directory)
    {
        _sharedArbiter = directory;
        FindArbiter();
        return _arbiter;
    }

    private IReadOnlyList<JsonElement> Lines(params string[] words)
    {
        var lines = new List<JsonElement>();
        foreach (string line in Control(words).Require().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            lines.Add(document.RootElement.Clone());
        }

        return lines;
    }
}
