using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using MirrorD.Daemon.Access;
using MirrorD.Fuzz.Running;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Fuzz.Targets.Node;

/// <summary>
/// What another node says of whom a call is that it passes on: 0, the node by its certificate, a line's end and the header;
/// or 1 and the first bytes of a connection that brings such calls.
/// </summary>
internal sealed class ForwardedCallTarget : FuzzTarget
{
    private const int PrefaceBytes = 256;

    public override string Name => "forwarded-call";

    public override IReadOnlyList<string> Files =>
        ["src/MirrorD.Daemon/Access/Caller.cs", "src/MirrorD.Daemon/Access/BroughtCalls.cs"];

    public override bool IsText => true;

    public override IReadOnlyList<byte[]> Words => [.. new[]
    {
        "@a", "; uid=", "; rights=all", "; rights=read", "4294967296", "root", "%20", "\n", "-", "0", "\u0660",
    }.Select(Encoding.UTF8.GetBytes)];

    public override int MostBytes => 600;

    public override IEnumerable<byte[]> Seeds()
    {
        foreach (Caller caller in new[] { Here(0, Rights.All), Here(4_000_000_000, Rights.Read), Here(1, Rights.None) })
        {
            yield return Encoding.UTF8.GetBytes("0a\n" + caller.ToHeader("a"));
        }

        yield return Encoding.UTF8.GetBytes("0b\n" + Here(0, Rights.All).ToHeader("a"));
        yield return [.. "1"u8, .. BroughtCalls.Preface("a"), .. "GET /v1/status"u8];
        yield return [.. "1"u8, .. BroughtCalls.Preface("a")[..100]];
    }

    public override void Run(byte[] input)
    {
        if (input.Length > 0 && input[0] == '1')
        {
            CheckPreface(input[1..]);
            return;
        }

        string[] parts = Encoding.UTF8.GetString(input.Length == 0 ? [] : input[1..]).Split('\n', 2);
        string? header = parts.Length > 1 ? parts[1] : null;
        var caller = Caller.Elsewhere(header, parts[0]);
        _ = caller.ToString();
        if (ReferenceEquals(caller, Caller.Unknown))
        {
            BrokenProperty.Unless(caller.Refusal(changes: true) is not null, "somebody unknown changes nothing");
            return;
        }

        BrokenProperty.Unless(caller.Node == parts[0], "a node speaks for its own users only");
        BrokenProperty.Unless(
            ulong.Parse(header!.Split("uid=")[^1].Split(';')[0]) == caller.UserId,
            "the number of the user is that of the header");
        BrokenProperty.Unless((caller.Rights == Rights.All) == header.EndsWith("rights=all", StringComparison.Ordinal)
            && (caller.Refusal(changes: true) is null) == (caller.Rights == Rights.All)
            && caller.Refusal(changes: false) is null,
            "rights are those of the header");
        BrokenProperty.Unless(Caller.Elsewhere(caller.ToHeader(parts[0]), parts[0]) == caller,
            "passed on again it is the same");
    }

    private static Caller Here(uint user, Rights rights)
    {
        var caller = Caller.Here(new PeerCredentials(user, 1, []), rights);
        BrokenProperty.Unless((caller.Refusal(changes: false) is null) == (rights != Rights.None),
            "who may do nothing is refused");
        return caller;
    }

    private static void CheckPreface(byte[] bytes)
    {
        var reader = PipeReader.Create(new ReadOnlySequence<byte>(bytes));
        try
        {
            BroughtCalls brought = BroughtCalls.Read(reader, default).GetAwaiter().GetResult();
            BrokenProperty.Unless(brought.Node.Length <= PrefaceBytes && !brought.Node.EndsWith('\0'), "a node has a name");
        }
        catch (IOException)
        {
            BrokenProperty.Unless(bytes.Length < PrefaceBytes, "a preface that is whole is read");
            return;
        }

        BrokenProperty.Unless(
            bytes.Length == PrefaceBytes
                || (reader.TryRead(out ReadResult rest) && rest.Buffer.Length == bytes.Length - PrefaceBytes),
            "the call follows the preface");
    }
}
