using MirrorD.Engine.Nbd;
using MirrorD.Formats.Nbd;
using MirrorD.Testing;
using static MirrorD.Engine.Tests.Nbd.NbdClient;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>
/// A server that wants TLS before anything else. What stands for TLS here is <see cref="ToldName"/>: the real one is used by the
/// tests with real daemons.
/// </summary>
public sealed class TlsFirstTests
{
    private static NbdWorld TlsWorld(NbdServerOptions? options = null, int exports = 1) =>
        new(options, exports: exports, withTls: true);

    private static NbdClient Greeted(NbdWorld world)
    {
        var client = new NbdClient(world.Connect());
        client.Greet();
        return client;
    }

    private static NbdClient Secured(NbdWorld world, string name = "backup")
    {
        NbdClient client = Greeted(world);
        Secure(client, name);
        return client;
    }

    private static void Secure(NbdClient client, string name)
    {
        Assert.Equal(NbdOptionReply.Ack, Assert.Single(client.Ask(NbdOption.StartTls)).Reply);
        client.Wire.Send([.. name.Select(c => (byte)c), (byte)'\n']);
        Assert.Equal(ToldName.Welcome, client.Wire.Take(ToldName.Welcome.Length));
        client.Wire.IsMasked = true;
    }

    public static TheoryData<NbdOption, byte[]> AnythingElse => new()
    {
        { NbdOption.List, [] },
        { NbdOption.List, [1] },
        { NbdOption.Go, GoData("mail/data", NbdInfoType.Name) },
        { NbdOption.Go, [] },
        { NbdOption.Info, GoData("") },
        { NbdOption.Info, GoData(new string('x', 4096)) },
        { NbdOption.StructuredReply, [] },
        { NbdOption.ListMetaContext, ContextData("mail/data") },
        { NbdOption.SetMetaContext, ContextData("mail/data", "base:allocation") },
        { NbdOption.ExtendedHeaders, [] },
        { (NbdOption)0, [] },
        { (NbdOption)0xffffffff, new byte[9 << 10] },
    };

    [Theory]
    [MemberData(nameof(AnythingElse))]
    public void Whatever_is_asked_before_TLS_the_answer_is_that_it_comes_first(NbdOption option, byte[] data)
    {
        using NbdWorld world = TlsWorld();
        NbdClient client = Greeted(world);
        OptionAnswer answer = Assert.Single(client.Ask(option, data));
        Assert.Equal(NbdOptionReply.ErrorTlsRequired, answer.Reply);
        Assert.Equal("this server wants TLS first (STARTTLS)", answer.Text);
        Assert.Equal(0, world.Server.Sessions);

        // Nothing of it was kept: structured replies have to be agreed on now.
        Secure(client, "backup");
        Assert.Equal(
            NbdOptionReply.ErrorInvalid,
            Assert.Single(client.Ask(NbdOption.ListMetaContext, ContextData("mail/data"))).Reply);
        client.Open(structured: true, allocation: true, "mail/data");
        Assert.Equal(NbdError.None, client.Write(0, new byte[512]));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(1 << 20)]
    public void What_is_written_over_TLS_is_read_back(int bytes)
    {
        using NbdWorld world = TlsWorld();
        foreach (bool structured in (bool[])[true, false])
        {
            NbdClient client = Secured(world);
            client.Open(structured, allocation: structured, "mail/data");
            byte[] data = new byte[bytes];
            new Random(bytes).NextBytes(data);
            Assert.Equal(NbdError.None, client.Write(8192, data));
            Assert.Equal(data, client.Read(8192, bytes));
            Assert.Equal(data, world.DiskBytesAt(8192, bytes));
            client.Send(NbdCommand.Disconnect);
            Assert.Empty(client.Wire.TakeToEnd());
        }

        world.UntilEmpty();
        Assert.All(world.Events, each => Assert.StartsWith("backup at ", each.Client));
        Assert.Equal(
            [NbdEventKind.Opened, NbdEventKind.Closed, NbdEventKind.Opened, NbdEventKind.Closed],
            world.Events.Select(each => each.Kind));
    }

    [Fact]
    public void All_exports_are_told_over_TLS()
    {
        using NbdWorld world = TlsWorld(exports: 3);
        Assert.Equal(4, Secured(world).Ask(NbdOption.List).Count);
    }

    [Fact]
    public void EXPORT_NAME_before_TLS_closes_and_works_after_it()
    {
        using NbdWorld world = TlsWorld();
        NbdClient client = Greeted(world);
        client.Wire.Send(OptionBytes(NbdOption.ExportName, "mail/data"u8.ToArray()));
        Assert.Empty(client.Wire.TakeToEnd());
        Assert.Equal("it opens an export by EXPORT_NAME without TLS", Assert.Single(world.Events).Text);

        NbdClient secured = Secured(world);
        secured.Wire.Send(OptionBytes(NbdOption.ExportName, "mail/data"u8.ToArray()));
        Assert.Equal((ulong)NbdWorld.DiskBytes, NbdExportInfo.Decode(secured.Wire.Take(10)).LengthBytes);
        Assert.Equal(NbdError.None, secured.Write(0, new byte[512]));
    }

    public static TheoryData<byte[]> Injected => new()
    {
        new byte[] { 0 },
        "backup\n"u8.ToArray(),
        OptionBytes(NbdOption.StartTls),
        OptionBytes(NbdOption.Go, GoData("mail/data")),
        OptionBytes(NbdOption.Abort),
    };

    [Theory]
    [MemberData(nameof(Injected))]
    public void Bytes_behind_STARTTLS_that_do_not_wait_for_its_answer_end_the_connection(byte[] injected)
    {
        using NbdWorld world = TlsWorld();
        NbdClient client = Greeted(world);
        client.Wire.Send([.. OptionBytes(NbdOption.StartTls), .. injected]);
        Assert.Empty(client.Wire.TakeToEnd());
        NbdEvent told = Assert.Single(world.Events);
        Assert.Equal(
            (NbdEventKind.Violation, "bytes behind STARTTLS that did not wait for its answer"), (told.Kind, told.Text));
        Assert.Equal(0, world.Server.Sessions);
    }

    [Fact]
    public void A_second_STARTTLS_is_refused_and_the_connection_goes_on()
    {
        using NbdWorld world = TlsWorld();
        NbdClient client = Secured(world);
        Assert.Equal(NbdOptionReply.ErrorInvalid, Assert.Single(client.Ask(NbdOption.StartTls)).Reply);
        client.Open(structured: true, allocation: false, "");
        Assert.Equal(NbdError.None, client.Write(0, new byte[512]));
    }

    [Fact]
    public void STARTTLS_with_data_is_refused_and_may_be_asked_for_again()
    {
        using NbdWorld world = TlsWorld();
        NbdClient client = Greeted(world);
        Assert.Equal(NbdOptionReply.ErrorInvalid, Assert.Single(client.Ask(NbdOption.StartTls, 1, 2)).Reply);
        Secure(client, "backup");
        client.Open(structured: true, allocation: false, "");
    }

    [Fact]
    public void What_a_client_sends_right_behind_its_handshake_counts_as_sent_over_TLS()
    {
        using NbdWorld world = TlsWorld();
        NbdClient client = Greeted(world);
        Assert.Equal(NbdOptionReply.Ack, Assert.Single(client.Ask(NbdOption.StartTls)).Reply);
        client.Wire.Send([.. "backup\n"u8, .. ToldName.Masked(OptionBytes(NbdOption.List))]);
        client.Wire.Take(ToldName.Welcome.Length);
        client.Wire.IsMasked = true;
        Assert.Equal(NbdOptionReply.Server, client.TakeOptionAnswer().Reply);
    }

    [Theory]
    [InlineData(NbdHandshakeFlags.None, NbdEventKind.Refused)]
    [InlineData((NbdHandshakeFlags)0x80000001, NbdEventKind.Violation)]
    public void A_client_that_can_not_ask_for_TLS_is_closed(NbdHandshakeFlags flags, NbdEventKind kind)
    {
        using NbdWorld world = TlsWorld();
        var client = new NbdClient(world.Connect());
        client.Greet(flags);
        Assert.Empty(client.Wire.TakeToEnd());
        Assert.Equal(kind, Assert.Single(world.Events).Kind);
    }

    [Fact]
    public void ABORT_before_TLS_is_acknowledged_and_closes()
    {
        using NbdWorld world = TlsWorld();
        NbdClient client = Greeted(world);
        Assert.Equal(NbdOptionReply.Ack, Assert.Single(client.Ask(NbdOption.Abort)).Reply);
        Assert.Empty(client.Wire.TakeToEnd());
        Assert.Empty(world.Events);
    }

    [Fact]
    public void Who_says_too_much_before_TLS_is_closed()
    {
        using NbdWorld world = TlsWorld();
        NbdClient many = Greeted(world);
        for (int i = 0; i < 16; i++)
        {
            many.Ask(NbdOption.List);
        }

        many.Wire.Send(OptionBytes(NbdOption.StartTls));
        Assert.Empty(many.Wire.TakeToEnd());
        NbdClient large = Greeted(world);
        large.Wire.Send(OptionBytes(NbdOption.List, new byte[(9 << 10) + 1]));
        Assert.Empty(large.Wire.TakeToEnd());
        NbdClient noise = Greeted(world);
        noise.Wire.Send(new byte[16]);
        Assert.Empty(noise.Wire.TakeToEnd());
        NbdClient endless = Greeted(world);
        endless.Ask(NbdOption.StartTls);
        endless.Wire.Send(new byte[40 << 10]);
        Assert.Empty(endless.Wire.TakeToEnd());
        Assert.Equal(
            ["it asks for exports without TLS", "it says too much before TLS", "an option without its magic",
                "the handshake does not end"],
            world.Events.Select(each => each.Text));
    }

    [Theory]
    [InlineData("nobody", "alert\n")]
    [InlineData("!", "")]
    public void Who_is_refused_hears_why_and_the_cause_is_told_once(string name, string answer)
    {
        using NbdWorld world = TlsWorld();
        for (int i = 0; i < 3; i++)
        {
            NbdClient client = Greeted(world);
            client.Ask(NbdOption.StartTls);
            client.Wire.Send([.. name.Select(c => (byte)c), (byte)'\n']);
            Assert.Equal(answer, System.Text.Encoding.ASCII.GetString(client.Wire.TakeToEnd()));
        }

        NbdEvent told = Assert.Single(world.Events);
        Assert.Equal((NbdEventKind.Refused, "nobody is not allowed"), (told.Kind, told.Text));
        Assert.Equal(0, world.Server.Sessions);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Who_does_not_show_who_it_is_in_time_is_disconnected(int steps)
    {
        using NbdWorld world = TlsWorld(new NbdServerOptions { StrangerTimeoutNs = 5 * NbdWorld.Second });
        NbdWire wire = world.Connect();
        wire.Take(18);
        byte[][] said = [UInt32(3), OptionBytes(NbdOption.StartTls)];
        for (int i = 0; i < steps; i++)
        {
            wire.Send(said[i]);
        }

        wire.TakeToEnd();
        Assert.InRange(world.World.NowNs, 5 * NbdWorld.Second, 6 * NbdWorld.Second);
        Assert.Equal("it has not shown who it is within the time limit", Assert.Single(world.Events).Text);
        NbdClient client = Secured(world);
        client.Open(structured: true, allocation: false, "");
        world.Pass(20 * NbdWorld.Second);
        Assert.Equal(NbdError.None, client.Write(0, new byte[512]));
    }

    [Fact]
    public void One_stranger_too_many_takes_the_place_of_the_oldest_and_nobody_who_is_known_is_disturbed()
    {
        using NbdWorld world = TlsWorld(new NbdServerOptions { MaxStrangers = 3 });
        NbdClient known = Secured(world);
        known.Open(structured: true, allocation: false, "");
        var strangers = new List<NbdWire>();
        for (int i = 0; i < 4; i++)
        {
            strangers.Add(world.Connect());
            strangers[i].Take(18);
        }

        strangers[0].TakeToEnd();
        Assert.Equal(
            "too many connections at once that have not shown who they are", world.Events[^1].Text);
        Assert.Equal(NbdError.None, known.Write(0, new byte[512]));
        Assert.False(strangers[3].IsEnded);
        Assert.Equal(NbdError.None, OpenAndWrite(Secured(world)));
    }

    [Fact]
    public void Strangers_are_taken_up_at_a_bounded_rate()
    {
        using NbdWorld world = TlsWorld();
        const int Many = 132;
        long began = world.World.NowNs;
        for (int i = 0; i < Many; i++)
        {
            NbdWire wire = world.Connect();
            wire.Take(18);
            wire.Close();
        }

        // Thirty-two at once, the others each 5 ms after the one before.
        Assert.InRange(world.World.NowNs - began, NbdWorld.Second * (Many - 33) / 200, NbdWorld.Second * 2);
    }

    [Fact]
    public void Known_clients_beyond_the_limit_are_closed_and_told()
    {
        using NbdWorld world = TlsWorld(new NbdServerOptions { MaxSessions = 1 });
        NbdClient first = Secured(world);
        first.Open(structured: true, allocation: false, "");
        NbdClient second = Secured(world, "vm1");
        Assert.Empty(second.Wire.TakeToEnd());
        NbdEvent refused = world.Events[^1];
        Assert.Equal(NbdEventKind.Refused, refused.Kind);
        Assert.StartsWith("vm1 at ", refused.Client);
        Assert.Equal(NbdError.None, first.Write(0, new byte[512]));
    }

    [Fact]
    public void Clients_whose_keys_were_taken_back_are_closed_and_no_others()
    {
        using NbdWorld world = TlsWorld();
        NbdClient stays = Secured(world);
        stays.Open(structured: true, allocation: false, "");
        NbdClient goes = Secured(world, "vm1");
        goes.Open(structured: true, allocation: false, "");
        NbdClient inHandshake = Greeted(world);
        world.Server.CloseSessionsOf(key => key == "key of vm1", "its key was taken back");
        Assert.Empty(goes.Wire.TakeToEnd());
        Assert.Empty(inHandshake.Wire.TakeToEnd());
        Assert.Equal("its key was taken back", world.Events[^1].Text);
        Assert.Equal(NbdError.None, stays.Write(0, new byte[512]));
    }

    [Fact]
    public void A_server_that_stops_leaves_nothing_of_any_state_behind()
    {
        using NbdWorld world = TlsWorld();
        world.Connect();
        Greeted(world);
        Greeted(world).Ask(NbdOption.StartTls);
        NbdClient stepping = Greeted(world);
        stepping.Ask(NbdOption.StartTls);
        stepping.Wire.Send("bac"u8.ToArray());
        Secured(world);
        NbdClient open = Secured(world);
        open.Open(structured: true, allocation: false, "");
        open.Send(NbdCommand.Write, 0, 1 << 20, data: new byte[1000]);
    }

    [Fact]
    public void Requests_in_plain_reach_nothing()
    {
        using NbdWorld world = TlsWorld();
        NbdClient client = Secured(world);
        client.Open(structured: true, allocation: false, "");
        client.Wire.IsMasked = false;
        client.Wire.Send(RequestBytes(NbdCommand.WriteZeroes, 1, 0, 4096));
        Assert.Empty(client.Wire.TakeToEnd());
        Assert.Equal("a request without its magic", world.Events[^1].Text);
    }

    private static NbdError OpenAndWrite(NbdClient client)
    {
        client.Open(structured: true, allocation: false, "");
        return client.Write(0, new byte[512]);
    }
}
