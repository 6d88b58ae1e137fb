using System.Text.Json;

namespace MirrorD.Lab.Pairs;

/// <summary>
/// One resource of a status, as a node's daemon sees it. Read from the JSON, not with the product's types.
/// </summary>
public sealed class ResourceView
{
    private readonly JsonElement _json;

    internal ResourceView(JsonElement json) => _json = json;

    public string Role => Text("role") ?? "";

    public string DiskState => Text("diskState") ?? "";

    public string Link => Text("link") ?? "";

    public string? PeerRole => Text("peerRole");

    public string? HandshakeCase => Text("handshakeCase");

    public string? Generation => Text("generation");

    public string? Session => Text("session");

    public string? Proof => Text("proof");

    public string? HoldUp =>
        _json.TryGetProperty("holdUp", out JsonElement held) ? held.GetProperty("state").GetString() : null;

    public int HeldRequests =>
        _json.TryGetProperty("heldRequests", out JsonElement held) ? held.GetInt32() : 0;

    public bool IsJoined => Link == "Joined" && DiskState == "UpToDate";

    public bool IsPrimary => Role == "Primary";

    /// <summary>Total and sent bytes of a running resync; null when none runs.</summary>
    public (long Total, long Sent)? Resync =>
        _json.TryGetProperty("resync", out JsonElement resync)
            ? (resync.GetProperty("totalBytes").GetInt64(), resync.GetProperty("sentBytes").GetInt64())
            : null;

    /// <summary>The verify that runs, or the last one: bytes that differ, are unreadable, were repaired; null before.</summary>
    public (bool HasEnded, string? EndedEarly, (long Different, long Unreadable, long Repaired) Bytes)? Verify =>
        _json.TryGetProperty("verify", out JsonElement verify)
            ? (verify.TryGetProperty("endedAt", out _),
                verify.TryGetProperty("endedEarly", out JsonElement early) ? early.GetString() : null,
                (verify.GetProperty("differentBytes").GetInt64(), verify.GetProperty("unreadableBytes").GetInt64(),
                    verify.GetProperty("repairedBytes").GetInt64()))
            : null;

    /// <summary>Ranges that the running or last verify lists, each as "kind offset+length", with "repaired" where it is.</summary>
    public IReadOnlyList<string> VerifyFindings =>
        _json.TryGetProperty("verify", out JsonElement verify)
            ?
            [
                .. verify.GetProperty("findings").EnumerateArray().Select(finding =>
                    $"{finding.GetProperty("kind").GetString()} {finding.GetProperty("offset")}+"
                    + $"{finding.GetProperty("lengthBytes")}{(finding.GetProperty("repaired").GetBoolean() ? " repaired" : "")}"),
            ]
            : [];

    /// <summary>Size of a volume.</summary>
    public long LengthBytes(string volume) => Volume(volume).GetProperty("lengthBytes").GetInt64();

    /// <summary>Bytes of a volume that the peer may not have.</summary>
    public long DirtyBytes(string volume) => Volume(volume).GetProperty("dirtyBytes").GetInt64();

    /// <summary>The whole, for messages.</summary>
    public override string ToString() => _json.GetRawText();

    private string? Text(string name) =>
        _json.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    private JsonElement Volume(string volume) =>
        _json.GetProperty("volumes").EnumerateArray()
            .Single(one => one.GetProperty("name").GetString() == volume);
}
