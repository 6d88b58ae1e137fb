using System.Buffers.Binary;
using MirrorD.Engine.Nbd;
using MirrorD.Formats.Nbd;
using static MirrorD.Engine.Tests.Nbd.NbdClient;

namespace MirrorD.Engine.Tests.Nbd;

public sealed class HandshakeTests
{
    [Fact]
    public void The_golden_handshake_of_a_kernel_client_by_GO()
    {
        using var world = new NbdWorld();
        NbdWire wire = world.Connect();
        Assert.Equal("4E42444D41474943" + "49484156454F5054" + "0003", Convert.ToHexString(wire.Take(18)));
        wire.Send(Convert.FromHexString(
            "00000003" + "49484156454F5054" + "00000007" + "00000006" + "00000000" + "0000"));
        string info = "0003E889045565A9" + "00000007" + "00000003" + "0000000C"
            + "0000" + "0000000004000000" + "0D6D";
        string ack = "0003E889045565A9" + "00000007" + "00000001" + "00000000";
        Assert.Equal(info + ack, Convert.ToHexString(wire.Take(32 + 20)));
        wire.Send(Convert.FromHexString(
            "25609513" + "0000" + "0000" + "1122334455667788" + "0000000000001000" + "00000200"));
        Assert.Equal("67446698" + "00000000" + "1122334455667788", Convert.ToHexString(wire.Take(16)));
        Assert.Equal(new byte[512], wire.Take(512));
        wire.Send(RequestBytes(NbdCommand.Disconnect, 1, 0, 0));
        Assert.Empty(wire.TakeToEnd());
    }

    [Theory]
    [InlineData(NbdHandshakeFlags.FixedNewstyle | NbdHandshakeFlags.NoZeroes, 10)]
    [InlineData(NbdHandshakeFlags.FixedNewstyle, 134)]
    [InlineData(NbdHandshakeFlags.None, 134)]
    public void EXPORT_NAME_answers_with_size_and_flags(NbdHandshakeFlags flags, int bytes)
    {
        using var world = new NbdWorld();
        var client = new NbdClient(world.Connect());
        client.Greet(flags);
        client.Wire.Send(OptionBytes(NbdOption.ExportName, "mail/data"u8.ToArray()));
        byte[] answer = client.Wire.Take(bytes);
        var info = NbdExportInfo.Decode(answer);
        Assert.Equal((ulong)NbdWorld.DiskBytes, info.LengthBytes);
        Assert.All(answer[10..], b => Assert.Equal(0, b));
        Assert.Equal(NbdError.None, client.Write(0, new byte[512]));
    }

    [Fact]
    public void EXPORT_NAME_of_an_unknown_export_closes()
    {
        using var world = new NbdWorld();
        var client = new NbdClient(world.Connect());
        client.Greet();
        client.Wire.Send(OptionBytes(NbdOption.ExportName, "other\n"u8.ToArray()));
        Assert.Empty(client.Wire.TakeToEnd());
        NbdEvent refused = Assert.Single(world.Events);
        Assert.Equal(NbdEventKind.Refused, refused.Kind);
        Assert.Equal("no export 'other?'", refused.Text);
        world.UntilEmpty();
    }

    [Fact]
    public void ABORT_is_acknowledged_and_closes()
    {
        using var world = new NbdWorld();
        var client = new NbdClient(world.Connect());
        client.Greet();
        Assert.Equal(NbdOptionReply.Ack, Assert.Single(client.Ask(NbdOption.Abort)).Reply);
        Assert.Empty(client.Wire.TakeToEnd());
        Assert.Empty(world.Events);
        world.UntilEmpty();
    }

    [Fact]
    public void LIST_names_every_export()
    {
        using var world = new NbdWorld(exports: 3);
        var client = new NbdClient(world.Connect());
        client.Greet();
        List<OptionAnswer> answers = client.Ask(NbdOption.List);
        Assert.Equal(
            [Text("mail/data0"), Text("mail/data1"), Text("mail/data2"), []],
            answers.Select(answer => answer.Data));
        Assert.Equal(NbdOptionReply.Ack, answers[^1].Reply);
    }

    [Fact]
    public void INFO_and_GO_tell_what_is_asked_for()
    {
        using var world = new NbdWorld(blockBytes: 4096);
        var client = new NbdClient(world.Connect());
        client.Greet();
        foreach (NbdOption option in new[] { NbdOption.Info, NbdOption.Go })
        {
            List<OptionAnswer> answers = client.Ask(option,
                GoData("", NbdInfoType.BlockSize, NbdInfoType.Name, NbdInfoType.Description,
                    (NbdInfoType)99));
            Assert.Equal(4, answers.Count);
            var info = NbdExportInfo.Decode(answers[0].Data.AsSpan(2));
            Assert.Equal((ulong)NbdWorld.DiskBytes, info.LengthBytes);
            Assert.Equal([0, 1, .. "mail/data"u8], answers[1].Data);
            var sizes = NbdBlockSizeInfo.Decode(answers[2].Data.AsSpan(2));
            Assert.Equal(new NbdBlockSizeInfo(4096, 4096, 32 << 20), sizes);
        }

        Assert.Equal(NbdError.None, client.Write(4096, new byte[4096]));
    }

    [Fact]
    public void INFO_alone_does_not_end_the_handshake()
    {
        using var world = new NbdWorld();
        var client = new NbdClient(world.Connect());
        client.Greet();
        Assert.Equal(NbdOptionReply.Ack, client.Ask(NbdOption.Info, GoData("mail/data"))[^1].Reply);
        Assert.Equal(NbdOptionReply.Ack, client.Ask(NbdOption.List)[^1].Reply);
    }

    [Fact]
    public void DF_is_offered_only_with_structured_replies()
    {
        using var world = new NbdWorld();
        const NbdTransmissionFlags Offer = NbdTransmissionFlags.SendDontFragment;
        Assert.True(world.Open(structured: true).Export.Flags.HasFlag(Offer));
        Assert.False(world.Open(structured: false).Export.Flags.HasFlag(Offer));
    }

    [Theory]
    [InlineData(NbdOption.StartTls, 0, NbdOptionReply.ErrorUnsupported)]
    [InlineData(NbdOption.ExtendedHeaders, 0, NbdOptionReply.ErrorUnsupported)]
    [InlineData((NbdOption)0, 3, NbdOptionReply.ErrorUnsupported)]
    [InlineData((NbdOption)4, 100, NbdOptionReply.ErrorUnsupported)]
    [InlineData((NbdOption)0xffffffff, 16 << 10, NbdOptionReply.ErrorUnsupported)]
    [InlineData(NbdOption.List, 1, NbdOptionReply.ErrorInvalid)]
    [InlineData(NbdOption.StructuredReply, 4, NbdOptionReply.ErrorInvalid)]
    [InlineData(NbdOption.Go, 0, NbdOptionReply.ErrorInvalid)]
    [InlineData(NbdOption.Go, 5, NbdOptionReply.ErrorInvalid)]
    [InlineData(NbdOption.Info, 8, NbdOptionReply.ErrorInvalid)]
    [InlineData(NbdOption.SetMetaContext, 0, NbdOptionReply.ErrorInvalid)]
    [InlineData(NbdOption.ListMetaContext, 8, NbdOptionReply.ErrorInvalid)]
    public void An_option_that_is_unknown_or_malformed_is_refused_and_the_handshake_goes_on(
        NbdOption option, int dataBytes, NbdOptionReply expected)
    {
        using var world = new NbdWorld();
        var client = new NbdClient(world.Connect());
        client.Greet();
        Assert.Equal(expected, Assert.Single(client.Ask(option, new byte[dataBytes])).Reply);
        client.Open(structured: true, allocation: true, "mail/data");
        Assert.Equal(NbdError.None, client.Write(0, new byte[512]));
    }

    public static TheoryData<NbdOption, byte[]> MalformedData => new()
    {
        { NbdOption.Go, [0xff, 0xff, 0xff, 0xff, 0, 0] },
        { NbdOption.Go, [.. GoData("mail/data"), 0] },
        { NbdOption.Go, GoData("mail/data", NbdInfoType.Name)[..^1] },
        { NbdOption.Go, Text(new string('x', 4097)) },
        { NbdOption.SetMetaContext, [.. ContextData("mail/data", "base:allocation"), 0] },
        { NbdOption.SetMetaContext, ContextData("mail/data", "base:allocation")[..^1] },
        { NbdOption.SetMetaContext, [.. Text("mail/data"), 0xff, 0xff, 0xff, 0xff] },
        { NbdOption.ListMetaContext, [.. Text("mail/data"), 0, 0, 0, 1, 0x80, 0, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(MalformedData))]
    public void Lengths_that_contradict_each_other_are_invalid(NbdOption option, byte[] data)
    {
        using var world = new NbdWorld();
        var client = new NbdClient(world.Connect());
        client.Greet();
        client.Ask(NbdOption.StructuredReply);
        Assert.Equal(NbdOptionReply.ErrorInvalid, Assert.Single(client.Ask(option, data)).Reply);
    }

    [Fact]
    public void An_unknown_name_is_refused_by_GO_and_the_empty_name_needs_a_single_export()
    {
        using var world = new NbdWorld(exports: 2);
        var client = new NbdClient(world.Connect());
        client.Greet();
        foreach (string name in new[] { "nothing", "" })
        {
            OptionAnswer answer = Assert.Single(client.Ask(NbdOption.Go, GoData(name)));
            Assert.Equal(NbdOptionReply.ErrorUnknown, answer.Reply);
        }

        client.Open(structured: false, allocation: false, "mail/data1");
        client.Write(0, [.. Enumerable.Repeat((byte)7, 512)]);
        byte[] seen = new byte[512];
        world.Disks[1].Peek(0, seen);
        Assert.Equal(7, seen[0]);
    }

    [Fact]
    public void An_unavailable_volume_is_refused_with_the_reason_and_opens_later()
    {
        using var world = new NbdWorld();
        world.Volume.Unavailable = "resource mail is Standby here; the Primary is node b";
        var client = new NbdClient(world.Connect());
        client.Greet();
        foreach (NbdOption option in new[] { NbdOption.Info, NbdOption.Go })
        {
            OptionAnswer answer = Assert.Single(client.Ask(option, GoData("")));
            Assert.Equal(NbdOptionReply.ErrorPolicy, answer.Reply);
            Assert.Equal(world.Volume.Unavailable, answer.Text);
        }

        Assert.Contains(world.Events, e => e.Kind == NbdEventKind.Refused && e.Text.Contains("Standby"));
        var old = new NbdClient(world.Connect());
        old.Greet();
        old.Wire.Send(OptionBytes(NbdOption.ExportName));
        Assert.Empty(old.Wire.TakeToEnd());

        world.Volume.Unavailable = null;
        client.Open(structured: false, allocation: false, "");
        Assert.Equal(NbdError.None, client.Write(0, new byte[512]));
    }

    [Fact]
    public void Metadata_contexts_are_listed_and_chosen_by_their_rules()
    {
        using var world = new NbdWorld();
        var client = new NbdClient(world.Connect());
        client.Greet();
        byte[] name = [.. "base:allocation"u8];
        Assert.Equal(NbdOptionReply.ErrorInvalid,
            Assert.Single(client.Ask(NbdOption.SetMetaContext, ContextData("", "base:allocation"))).Reply);
        client.Ask(NbdOption.StructuredReply);
        foreach (byte[] query in new[] { ContextData(""), ContextData("", "base:") })
        {
            Assert.Equal([0, 0, 0, 0, .. name], client.Ask(NbdOption.ListMetaContext, query)[0].Data);
        }

        Assert.Single(client.Ask(NbdOption.ListMetaContext, ContextData("", "qemu:")));
        Assert.Single(client.Ask(NbdOption.SetMetaContext, ContextData("")));
        Assert.Single(client.Ask(NbdOption.SetMetaContext, ContextData("", "base:", "x-other:y")));
        Assert.Equal([0, 0, 0, 1, .. name],
            client.Ask(NbdOption.SetMetaContext, ContextData("", "x:y", "base:allocation"))[0].Data);
        OptionAnswer unknown = Assert.Single(
            client.Ask(NbdOption.SetMetaContext, ContextData("nothing", "base:allocation")));
        Assert.Equal(NbdOptionReply.ErrorUnknown, unknown.Reply);
    }

    [Fact]
    public void A_context_that_was_chosen_for_another_export_does_not_count()
    {
        using var world = new NbdWorld(exports: 2);
        var client = new NbdClient(world.Connect());
        client.Greet();
        client.Ask(NbdOption.SetMetaContext, ContextData("mail/data0", "base:allocation"));
        client.Open(structured: true, allocation: false, "mail/data1");
        Assert.Equal(NbdError.Invalid, client.Call(NbdCommand.BlockStatus, 0, 4096).Error);
    }

    [Fact]
    public void Everything_pipelined_in_one_send_is_answered_in_order()
    {
        using var world = new NbdWorld();
        NbdWire wire = world.Connect();
        wire.Send([
            .. UInt32(3), .. OptionBytes(NbdOption.List), .. OptionBytes((NbdOption)77, 1, 2, 3),
            .. OptionBytes(NbdOption.Go, GoData("")), .. RequestBytes(NbdCommand.Flush, 5, 0, 0),
            .. RequestBytes(NbdCommand.Disconnect, 6, 0, 0)]);
        byte[] all = wire.TakeToEnd();
        int[] lengths = [18, 20 + 4 + 9, 20, 20 + "this option is not supported".Length, 20 + 12, 20, 16];
        Assert.Equal(lengths.Sum(), all.Length);
        Assert.Equal(5ul, BinaryPrimitives.ReadUInt64BigEndian(all.AsSpan(all.Length - 8)));
    }

    [Fact]
    public void Who_does_not_finish_the_handshake_is_disconnected()
    {
        using var world = new NbdWorld(new NbdServerOptions { HandshakeTimeoutNs = 5 * NbdWorld.Second });
        NbdWire wire = world.Connect();
        wire.Take(18);
        wire.TakeToEnd();
        Assert.InRange(world.World.NowNs, 5 * NbdWorld.Second, 6 * NbdWorld.Second);
        Assert.Equal("handshake not finished within 5000 ms", Assert.Single(world.Events).Text);
        NbdClient client = world.Open();
        world.Pass(20 * NbdWorld.Second);
        Assert.Equal(NbdError.None, client.Write(0, new byte[512]));
    }

    [Fact]
    public void More_connections_than_allowed_are_closed_and_one_that_leaves_makes_room()
    {
        using var world = new NbdWorld(new NbdServerOptions { MaxSessions = 2 });
        NbdClient first = world.Open();
        world.Open();
        NbdWire third = world.Connect();
        Assert.Empty(third.TakeToEnd());
        Assert.Equal(NbdEventKind.Refused, world.Events[^1].Kind);
        first.Send(NbdCommand.Disconnect);
        world.Until(() => world.Server.Sessions == 1, "the first session is forgotten");
        Assert.Equal(NbdError.None, world.Open().Write(0, new byte[512]));
    }
}
