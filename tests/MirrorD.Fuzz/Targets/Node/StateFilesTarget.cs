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
/// Small files that the daemon reads back: journals, the last verify, the list of held addresses, the key, the node's id,
/// sizes of devices, a claim of the arbiter. The first byte of the input chooses which one the rest stands in.
/// </summary>
internal sealed class StateFilesTarget : FuzzTarget
{
    private const long FullBytes = 2048;

    private readonly ScratchDirectory _scratch = new("state-files");

    public override string Name => "state-files";

    public override IReadOnlyList<string> Files =>
    [
        "src/MirrorD.Daemon/Storage/JsonLinesFile.cs", "src/MirrorD.Daemon/Storage/LastVerifyFile.cs",
        "src/MirrorD.Daemon/Takeover/HeldAddressFile.cs", "src/MirrorD.Daemon/Resources/MetadataPlaces.cs",
        "src/MirrorD.Configuration/NodeState/ClusterKeys.cs",
    ];

    public override bool IsText => true;

    public override IReadOnlyList<byte[]> Words => [.. new[]
    {
        "\"sequence\"", "\"at\"", "\"resource\"", "\"kind\"", "\"class\"", "\"message\"", "\"node\"", "\"phases\"",
            "\"findings\"", "null",
        "[]", "{}", "{", "}", "\"", "2026-01-31T12:00:00Z", "mirrord-held 1 5 77", "eth0 10.0.0.1/24", "mirrord-claim 1",
            "end", "/",
        "11111111-2222-3333-4444-555555555555", "00000000-0000-0000-0000-000000000000", "281474976710656", "278528",
    }.Select(Encoding.UTF8.GetBytes)];

    // Readers of files have buffers of their own.
    public override long MostAllocatedBytes(int inputBytes) => 512 * 1024 + 256L * inputBytes;

    public override IEnumerable<byte[]> Seeds()
    {
        const string Event =
            """{"sequence":1,"at":"2026-01-31T12:00:00Z","kind":"started","class":"info","message":"m"}""";
        const string Record =
            """{"at":"2026-01-31T12:00:00Z","resource":"r","node":"a","kind":"promote","reason":"x","""
            + """ "succeeded":true,"phases":[{"name":"probe","ms":3}],"totalMs":5}""";
        const string Verify =
            """{"node":"a","repair":true,"totalBytes":4096,"comparedBytes":4096,"differentBytes":0,"""
            + """ "unreadableBytes":0,"repairedBytes":0,"startedAt":"2026-01-31T12:00:00Z","findings":"""
            + """ [{"volume":"d","offset":0,"lengthBytes":4096,"kind":"different","repaired":true}]}""";
        string key = Convert.ToHexStringLower(Bytes.Counting(ClusterKeys.LengthBytes));
        return new[]
        {
            "0" + Event + "\n" + Event + "\n", "0" + Event + "\n" + Event[..40], "1" + Record + "\n", "2" + Verify,
            "3mirrord-held 1 5 77\neth0 10.0.0.1/24\neth1 2001:db8::1/64\n", "4" + key + "\n",
                "4" + key + "\n" + new string('a', 64) + "\n", "4" + key + "\n" + key[1..] + "\n",
            "511111111-2222-3333-4444-555555555555\n", "6278528\n",
                "7mirrord-claim 1\n11111111-2222-3333-4444-555555555555\nend\n",
        }.SelectMany(each => new[] { each, each.PadRight((each.Length + 31) / 32 * 32, '\n') }).Select(
            Encoding.UTF8.GetBytes);
    }

    public override void Run(byte[] input)
    {
        string file = Path.Combine(_scratch.Path, "node-id");
        byte[] content = input.Length == 0 ? [] : input[1..];
        File.Delete(file + ".1");
        File.WriteAllBytes(file, content);

        // Writing waits for the disk: not each time.
        bool writes = input.Length % 32 == 0;
        switch (input.Length == 0 ? 0 : (input[0] - '0') & 7)
        {
            case 0:
                CheckEvents(new JsonLinesFile<EventReport>(file, FullBytes, ApiJson.Compact.EventReport), writes);
                break;
            case 1:
                CheckRecords(new JsonLinesFile<TakeoverRecord>(file, 1 << 20, ApiJson.Compact.TakeoverRecord));
                break;
            case 2:
                CheckVerify(file, writes);
                break;
            case 3:
                CheckAddresses(new HeldAddressFile(file), writes);
                break;
            case 4:
                CheckKey(file, writes);
                break;
            case 5:
                CheckNodeId();
                break;
            case 6:
                CheckPlace(writes);
                break;
            default:
                NodeId? owner = SharedDirectory.Owner(file);
                BrokenProperty.Unless(
                    owner is null
                        || Encoding.UTF8.GetString(content).Contains(owner.ToString()!, StringComparison.OrdinalIgnoreCase),
                    "the owner is whom the file names");
                break;
        }
    }

    private static void CheckEvents(JsonLinesFile<EventReport> file, bool writes)
    {
        IReadOnlyList<EventReport> reports = file.ReadLast(100);
        foreach (EventReport report in reports)
        {
            BrokenProperty.Unless(report is { Kind: not null, Class: not null, Message: not null }, "an event has its texts");
        }

        if (writes)
        {
            file.Append(reports);
            BrokenProperty.Unless(file.ReadLast(1000).TakeLast(reports.Count).SequenceEqual(reports),
                "what is appended is read again");
        }
    }

    private static void CheckRecords(JsonLinesFile<TakeoverRecord> file)
    {
        foreach (TakeoverRecord record in file.ReadLast(100))
        {
            BrokenProperty.Unless(
                record is { Resource: not null, Node: not null, Kind: not null, Reason: not null, Phases: not null },
                "a record has its texts and phases");
        }
    }

    private static void CheckVerify(string path, bool writes)
    {
        VerifyReport? last = new LastVerifyFile(path, _ => { }).Last;
        BrokenProperty.Unless(
            last is null or { Node: not null, Findings: not null },
            "a verify has its node and findings");
        if (writes && last is not null)
        {
            new LastVerifyFile(path, failed => throw failed).Keep(last).Wait();
            BrokenProperty.Unless(new LastVerifyFile(path, failed => throw failed).Last?.Node == last.Node,
                "a verify that is kept is read again");
            bool isTold = false;
            new LastVerifyFile(Path.Combine(path, "below"), _ => isTold = true).Keep(last).Wait();
            BrokenProperty.Unless(isTold, "a verify that can't be kept is told");
        }
    }

    private static void CheckAddresses(HeldAddressFile file, bool writes)
    {
        IReadOnlyList<ServiceAddressConfiguration> listed = file.Listed();
        BrokenProperty.Unless(
            listed.All(each => each.PrefixLength >= 0 && each.PrefixLength <= 8 * each.Address.GetAddressBytes().Length
                && each.Interface.Length > 0),
            "an address has an interface and a prefix that fits");
        if (writes)
        {
            BrokenProperty.Unless(file.Write(listed, () => true) is null, "the list can be written");
            BrokenProperty.Unless(file.Listed().SequenceEqual(listed), "what is listed is listed again");
            BrokenProperty.Unless(file.Remove(() => true) is null && file.Listed().Count == 0, "what is removed is gone");
        }
    }

    private static void CheckKey(string file, bool writes)
    {
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        try
        {
            ClusterKeys keys = ClusterKeys.Load(file);
            BrokenProperty.Unless(
                keys.Sending.Length == ClusterKeys.LengthBytes
                    && keys.Accepted is null or { Length: ClusterKeys.LengthBytes },
                "keys have their length");
            BrokenProperty.Unless(keys.Accepts(keys.Sending) && keys.Accepts(keys.Accepted ?? keys.Sending),
                "what is in the file is accepted");
            if (writes)
            {
                keys.Save(file);
                ClusterKeys again = ClusterKeys.Load(file);
                BrokenProperty.UnlessSame(
                    [.. keys.Sending, .. keys.Accepted ?? []], [.. again.Sending, .. again.Accepted ?? []]);
            }
        }
        catch (NodeStateException)
        {
            // Documented: it is damaged.
        }

        if (writes)
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
            Refused(() => ClusterKeys.Load(file));
            Refused(() => new ClusterKeys(Bytes.Counting(ClusterKeys.LengthBytes)).Save(Path.Combine(file, "below")));
            Refused(() => ClusterKeys.Load(Path.GetDirectoryName(file)!));
            File.Delete(file);
            Refused(() => ClusterKeys.Load(file));
        }
    }

    private static void Refused(Action action)
    {
        bool isRefused = false;
        try
        {
            action();
        }
        catch (NodeStateException)
        {
            isRefused = true;
        }

        BrokenProperty.Unless(isRefused, "what can't be done is told");
    }

    private void CheckNodeId()
    {
        try
        {
            BrokenProperty.Unless(new StateDirectory(_scratch.Path).NodeId() != Guid.Empty, "an id is not empty");
        }
        catch (NodeStateException)
        {
            // Documented: the file does not hold an id.
        }
    }

    private void CheckPlace(bool writes)
    {
        string directory = Path.Combine(_scratch.Path, "places");
        Directory.CreateDirectory(directory);
        File.Move(Path.Combine(_scratch.Path, "node-id"), StateDirectory.PlaceFile(directory, "r", "v"), overwrite: true);
        var places = new MetadataPlaces(directory, _ => { });
        if (places.Last("r", "v") is { } place)
        {
            BrokenProperty.Unless(
                place.DataBytes > 0 && place.MetadataOffset >= place.DataBytes
                    && place.DataBytes % MetadataLayout.BlockBytes == 0,
                "metadata lies behind the data");
        }

        if (writes)
        {
            Directory.Delete(directory, recursive: true);
            places.Note("r", "v", 1 << 30);
            SpinWait.SpinUntil(() => places.Last("r", "v") == MetadataPlacement.Internal(1 << 30), 10_000);
            BrokenProperty.Unless(places.Last("r", "v") is not null, "a place that is noted is read");
            using var told = new ManualResetEventSlim();
            new MetadataPlaces(Path.Combine(StateDirectory.PlaceFile(directory, "r", "v"), "below"), _ => told.Set()).Note(
                "r", "v", 1 << 30);
            BrokenProperty.Unless(told.Wait(10_000), "a place that can't be noted is told");
        }
    }
}
