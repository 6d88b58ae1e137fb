using System.Text;
using MirrorD.Api;
using MirrorD.Configuration;
using MirrorD.Configuration.NodeState;
using MirrorD.Daemon.Arbitration;
using MirrorD.Daemon.Resources;
using MirrorD.Daemon.Storage;
using MirrorD.Daemon.Takeover;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Node;

/// <summary>
/// Small files that the daemon reads back: journals, the last verify, the list of held addresses, the key, the node's id, sizes of
/// devices, a claim of the arbiter. The first byte of the input chooses which one the rest stands in.
/// </summary>
internal sealed class StateFilesTarget : FuzzTarget
{
    private readonly string _directory = Directory.CreateDirectory(
        Path.Combine(Running.Places.Out, $"state-files-{Environment.ProcessId}")).FullName;

    public StateFilesTarget() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(_directory, recursive: true);

    public override string Name => "state-files";

    public override IReadOnlyList<string> Files => ["src/MirrorD.Daemon/Storage/LastVerifyFile.cs"];

    public override bool IsText => true;

    public override IReadOnlyList<byte[]> Words => [.. new[]
    {
        "\"sequence\"", "\"at\"", "\"resource\"", "\"kind\"", "\"class\"", "\"message\"", "\"node\"", "\"phases\"", "\"findings\"", "null",
        "[]", "{}", "{", "}", "\"", "2026-01-31T12:00:00Z", "mirrord-held 1 5 77", "eth0 10.0.0.1/24", "mirrord-claim 1", "end", "/",
        "11111111-2222-3333-4444-555555555555", "00000000-0000-0000-0000-000000000000", "281474976710656", "278528",
    }.Select(Encoding.UTF8.GetBytes)];

    // Readers of files have buffers of their own.
    public override long MostAllocatedBytes(int inputBytes) => 512 * 1024 + 256L * inputBytes;

    public override IEnumerable<byte[]> Seeds()
    {
        const string Event = "{\"sequence\":1,\"at\":\"2026-01-31T12:00:00Z\",\"kind\":\"started\",\"class\":\"info\",\"message\":\"m\"}";
        const string Record = "{\"at\":\"2026-01-31T12:00:00Z\",\"resource\":\"r\",\"node\":\"a\",\"kind\":\"promote\",\"reason\":\"x\","
            + "\"succeeded\":true,\"phases\":[{\"name\":\"probe\",\"ms\":3}],\"totalMs\":5}";
        const string Verify = "{\"node\":\"a\",\"repair\":true,\"totalBytes\":4096,\"comparedBytes\":4096,\"differentBytes\":0,"
            + "\"unreadableBytes\":0,\"repairedBytes\":0,\"findings\":[{\"volume\":\"d\",\"offset\":0,\"lengthBytes\":4096,"
            + "\"kind\":\"different\",\"repaired\":true}],\"startedAt\":\"2026-01-31T12:00:00Z\"}";
        string key = Convert.ToHexStringLower(Bytes.Counting(ClusterKey.LengthBytes));
        return new[]
        {
            "0" + Event + "\n" + Event + "\n", "0" + Event + "\n" + Event[..40], "1" + Record + "\n", "2" + Verify,
            "3mirrord-held 1 5 77\neth0 10.0.0.1/24\neth1 2001:db8::1/64\n", "4" + key + "\n",
            "511111111-2222-3333-4444-555555555555\n", "6278528\n", "7mirrord-claim 1\n11111111-2222-3333-4444-555555555555\nend\n",
        }.Select(Encoding.UTF8.GetBytes);
    }

    public override void Run(byte[] input)
    {
        string file = Path.Combine(_directory, "node-id");
        byte[] content = input.Length == 0 ? [] : input[1..];
        File.WriteAllBytes(file, content);
        switch (input.Length == 0 ? 0 : (input[0] - '0') & 7)
        {
            case 0:
                CheckEvents(new JsonLinesFile<EventReport>(file, 1 << 20, ApiJson.Compact.EventReport));
                break;
            case 1:
                CheckRecords(new JsonLinesFile<TakeoverRecord>(file, 1 << 20, ApiJson.Compact.TakeoverRecord));
                break;
            case 2:
                CheckVerify(file);
                break;
            case 3:
                CheckAddresses(new HeldAddressFile(file).Listed());
                break;
            case 4:
                CheckKey(file);
                break;
            case 5:
                CheckNodeId();
                break;
            case 6:
                CheckPlace();
                break;
            default:
                NodeId? owner = SharedDirectory.Owner(file);
                BrokenProperty.Unless(
                    owner is null || Encoding.UTF8.GetString(content).Contains(owner.ToString()!, StringComparison.OrdinalIgnoreCase),
                    "the owner is whom the file names");
                break;
        }
    }

    private static void CheckEvents(JsonLinesFile<EventReport> file)
    {
        foreach (EventReport report in file.ReadLast(100))
        {
            BrokenProperty.Unless(report is { Kind: not null, Class: not null, Message: not null }, "an event has its texts");
        }
    }

    private static void CheckRecords(JsonLinesFile<TakeoverRecord> file)
    {
        foreach (TakeoverRecord record in file.ReadLast(100))
        {
            BrokenProperty.Unless(
                record is { Resource: not null, Node: not null, Kind: not null, Reason: not null, Phases: not null }
                    && record.Phases.All(phase => phase is not null),
                "a record has its texts and phases");
        }
    }

    private static void CheckVerify(string path)
    {
        VerifyReport? last = new LastVerifyFile(path, _ => { }).Last;
        BrokenProperty.Unless(
            last is null or { Node: not null, Findings: not null } && (last?.Findings.All(each => each is not null) ?? true),
            "a verify has its node and findings");
    }

    private static void CheckAddresses(IReadOnlyList<ServiceAddressConfiguration> listed) => BrokenProperty.Unless(
        listed.All(each => each.PrefixLength >= 0 && each.PrefixLength <= 8 * each.Address.GetAddressBytes().Length
            && each.Interface.Length > 0),
        "an address has an interface and a prefix that fits");

    private static void CheckKey(string file)
    {
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        try
        {
            BrokenProperty.Unless(ClusterKey.Load(file).Length == ClusterKey.LengthBytes, "a key has its length");
        }
        catch (NodeStateException)
        {
            // Documented: it is damaged.
        }
    }

    private void CheckNodeId()
    {
        try
        {
            BrokenProperty.Unless(new StateDirectory(_directory).NodeId() != Guid.Empty, "an id is not empty");
        }
        catch (NodeStateException)
        {
            // Documented: the file does not hold an id.
        }
    }

    private void CheckPlace()
    {
        File.Move(Path.Combine(_directory, "node-id"), StateDirectory.PlaceFile(_directory, "r", "v"), overwrite: true);
        if (new MetadataPlaces(_directory, _ => { }).Last("r", "v") is { } place)
        {
            BrokenProperty.Unless(
                place.DataBytes > 0 && place.MetadataOffset >= place.DataBytes && place.DataBytes % MetadataLayout.BlockBytes == 0,
                "metadata lies behind the data");
        }
    }
}
