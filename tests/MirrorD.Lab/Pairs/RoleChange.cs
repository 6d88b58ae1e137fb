using System.Globalization;
using System.Text.Json;

namespace MirrorD.Lab.Pairs;

/// <summary>One record of `mirrorctl history --json`. Read from the JSON, not with the product's types.</summary>
public sealed class RoleChange
{
    private readonly JsonElement _json;

    private RoleChange(JsonElement json) => _json = json;

    /// <summary>"takeover", "promotion", "switchover", "release" or "loss".</summary>
    public string Kind => _json.GetProperty("kind").GetString()!;

    /// <summary>It was carried out.</summary>
    public bool Succeeded => _json.GetProperty("succeeded").GetBoolean();

    /// <summary>When it began.</summary>
    public DateTime At => _json.GetProperty("at").GetDateTimeOffset().UtcDateTime;

    /// <summary>From begin to end.</summary>
    public TimeSpan Total => TimeSpan.FromMilliseconds(_json.GetProperty("totalMs").GetInt64());

    /// <summary>Begin of a phase.</summary>
    public DateTime StartOf(string phase) => At + Milliseconds(Phase(phase), "startMs");

    /// <summary>For messages and transcripts.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Kind} {(Succeeded ? "done" : "failed")} in {Total.TotalMilliseconds:0} ms ({_json.GetProperty("reason")}): ") +
        string.Join(", ", All.Select(phase =>
            $"{phase.GetProperty("name")} {phase.GetProperty("tookMs")} ms"));

    /// <summary>One line of the command.</summary>
    internal static RoleChange Parse(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return new RoleChange(document.RootElement.Clone());
    }

    private IEnumerable<JsonElement> All => _json.GetProperty("phases").EnumerateArray();

    private JsonElement Phase(string name) => All.First(phase => phase.GetProperty("name").GetString() == name);

    private static TimeSpan Milliseconds(JsonElement phase, string name) =>
        TimeSpan.FromMilliseconds(phase.GetProperty(name).GetInt64());
}
