using MirrorD.Io.Linux.NbdDevices;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Tests.Linux;

/// <summary>Bytes as the kernel's nbd driver takes and gives them on a little-endian machine.</summary>
public sealed class NbdDevicesMessageTests
{
    private const string AckFlags = "0500"; // NLM_F_REQUEST and NLM_F_ACK

    private static readonly GenericNetlinkFamily Family = new(0x1d);

    [Fact]
    public void A_connect_has_size_block_flags_timeout_backend_and_one_socket()
    {
        var options = new NbdDeviceOptions
        {
            Backend = "r0/vol",
            SizeBytes = 0x1_4000_0000,
            BlockBytes = 4096,
            TransmissionFlags = 0x006d,
        };
        AssertMessage(
            "60000000 1d00" + AckFlags + "07000000 00000000" // nlmsghdr: 96 bytes
            + "01 01 0000" // genlmsghdr: CONNECT, version 1
            + "0c00 0200 0000004001000000" // SIZE_BYTES
            + "0c00 0300 0010000000000000" // BLOCK_SIZE_BYTES
            + "0c00 0500 6d00000000000000" // SERVER_FLAGS
            + "0c00 0800 8033e10100000000" // DEAD_CONN_TIMEOUT: a year
            + "0b00 0a00 72302f766f6c00 00" // BACKEND_IDENTIFIER with its zero, padded
            + "1000 0700 0c00 0100 0800 0100 29000000", // SOCKETS { ITEM { FD 41 } }
            NbdMessages.Connect(Family, options, 41));
    }

    [Fact]
    public void A_reconfigure_repeats_the_backend_and_has_neither_timeout_nor_size() =>
        AssertMessage(
            "34000000 1d00" + AckFlags + "07000000 00000000"
            + "03 01 0000"
            + "0800 0100 05000000" // INDEX
            + "0700 0a00 722f00 00"
            + "1000 0700 0c00 0100 0800 0100 0a000000",
            NbdMessages.Reconfigure(Family, 5, "r/", 10));

    [Fact]
    public void A_change_of_the_dead_timeout_names_device_and_backend() =>
        AssertMessage(
            "30000000 1d00" + AckFlags + "07000000 00000000"
            + "03 01 0000"
            + "0800 0100 05000000"
            + "0600 0a00 7200 0000"
            + "0c00 0800 0500000000000000",
            NbdMessages.SetDeadConnectionTimeout(Family, 5, "r", 5));

    [Fact]
    public void A_disconnect_names_the_device() =>
        AssertMessage(
            "1c000000 1d00" + AckFlags + "07000000 00000000 02 01 0000 0800 0100 05000000",
            NbdMessages.Disconnect(Family, 5));

    [Fact]
    public void A_status_question_is_about_all_devices() =>
        AssertMessage(
            "14000000 1d00" + AckFlags + "07000000 00000000 05 01 0000",
            NbdMessages.Status(Family));

    [Fact]
    public void The_longest_backend_fits_a_message()
    {
        var options = new NbdDeviceOptions
        {
            Backend = new string('b', NbdDeviceOptions.MaxBackendBytes),
            SizeBytes = 4096,
            BlockBytes = 4096,
            TransmissionFlags = 1,
        };
        options.Validate();
        Assert.Equal(96 - 12 + 260, NbdMessages.Connect(Family, options, 3).Finish(0, 1).Length);
    }

    [Theory]
    [InlineData("", 8192, 4096, 1)]
    [InlineData("r\n", 8192, 4096, 1)]
    [InlineData("r", 8193, 4096, 1)]
    [InlineData("r", 0, 4096, 1)]
    [InlineData("r", 8192, 8192, 1)]
    [InlineData("r", 8192, 0, 1)]
    [InlineData("r", 8192, 4096, 0)]
    public void Options_that_the_kernel_would_misread_are_refused(
        string backend, long sizeBytes, int blockBytes, long deadConnectionTimeoutSeconds)
    {
        var options = new NbdDeviceOptions
        {
            Backend = backend,
            SizeBytes = sizeBytes,
            BlockBytes = blockBytes,
            TransmissionFlags = 1,
            DeadConnectionTimeoutSeconds = deadConnectionTimeoutSeconds,
        };
        Assert.ThrowsAny<ArgumentException>(options.Validate);
    }

    [Fact]
    public void A_name_that_is_too_long_is_refused()
    {
        var options = new NbdDeviceOptions
        {
            Backend = new string('b', NbdDeviceOptions.MaxBackendBytes + 1),
            SizeBytes = 4096,
            BlockBytes = 4096,
            TransmissionFlags = 1,
        };
        Assert.Throws<ArgumentException>(options.Validate);
    }

    [Fact]
    public void The_answer_to_a_connect_tells_the_number()
    {
        byte[] body = Bytes("01 01 0000 0800 0100 0c000000");
        Assert.Equal(12, NbdMessages.Index(body));
    }

    [Fact]
    public void The_answer_to_a_status_question_tells_the_configured_devices()
    {
        byte[] body = Bytes(
            "05 01 0000 4000 0980" // DEVICE_LIST, marked as nested
            + "1400 0100 0800 0100 00000000 0500 0200 01 000000" // ITEM { INDEX 0, CONNECTED 1 }
            + "1400 0100 0800 0100 01000000 0500 0200 00 000000" // ITEM { INDEX 1, CONNECTED 0 }
            + "1400 0180 0800 0100 07000000 0500 0200 01 000000"); // and this one marked as nested
        Assert.Equal([0, 7], NbdMessages.Configured(body).Order());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0501")]
    [InlineData("05010000")]
    [InlineData("05010000 0400")]
    [InlineData("05010000 ffff 0100 00000000")]
    [InlineData("05010000 0200 0100 00000000")]
    [InlineData("05010000 0500 0100 07")]
    [InlineData("05010000 0800 0900 ffff0100")]
    public void A_damaged_answer_tells_nothing(string hex)
    {
        Assert.Null(NbdMessages.Index(Bytes(hex)));
        Assert.Empty(NbdMessages.Configured(Bytes(hex)));
    }

    [Fact]
    public void A_question_for_a_family_names_it() =>
        AssertMessage(
            "1c000000 1000" + AckFlags + "07000000 00000000 03 01 0000 0800 0200 6e626400",
            GenericNetlinkFamily.Question("nbd"));

    [Fact]
    public void The_answer_tells_a_familys_number()
    {
        GenericNetlinkFamily? family = GenericNetlinkFamily.Parse(Bytes(
            "01 02 0000 0800 0200 6e626400 0600 0100 1d00 0000"
            + "3800 0700" // MCAST_GROUPS { 1 { ID, NAME }, 2 { ID, NAME } }
            + "2000 0100 0800 0200 09000000 1100 0100 6e62645f6d635f67726f757000 000000"
            + "1400 0200 0800 0200 0a000000 0600 0100 6100 0000"));
        Assert.Equal((ushort)0x1d, family!.Id);
    }

    private static void AssertMessage(string hex, NetlinkMessage message) =>
        Assert.Equal(
            Convert.ToHexString(Bytes(hex)),
            Convert.ToHexString(message.Finish(MirrorD.Io.Linux.Interop.Netlink.NLM_F_ACK, 7)));

    private static byte[] Bytes(string hex) =>
        Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
