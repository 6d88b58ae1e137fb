using MirrorD.Daemon.Access;

namespace MirrorD.Daemon.Tests.Access;

/// <summary>Who asks, as it is logged and as another node is told of it.</summary>
public sealed class CallerTests
{
    [Theory]
    [InlineData(Rights.All)]
    [InlineData(Rights.Read)]
    public void Another_node_gets_name_number_and_rights(object rights)
    {
        var anna = new Caller("anna", 1000, 4711, null, (Rights)rights);

        var there = Caller.Elsewhere(anna.ToHeader("a"), "a");

        Assert.Equal(new Caller("anna", 1000, null, "a", (Rights)rights), there);
        Assert.Equal("anna uid=1000 pid=4711", anna.ToString());
        Assert.Equal("anna@a uid=1000", there.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("anna")]
    [InlineData("anna@a; uid=1000")]
    [InlineData("anna@b; uid=1000; rights=all")]
    [InlineData("anna@a; uid=1000; rights=most")]
    [InlineData("anna@a; uid=1000; rights=all\n")]
    [InlineData("an\tna@a; uid=1000; rights=all")]
    [InlineData("anna@a; uid=4294967296; rights=all")]
    [InlineData("anna@a; uid=1000; rights=all,root@a; uid=0; rights=all")]
    public void A_call_whose_caller_is_not_named_may_only_read(string? header)
    {
        Caller caller = Caller.Elsewhere(header, "a");

        Assert.Null(caller.Refusal(changes: false));
        Assert.Contains("bring both nodes to one version", caller.Refusal(changes: true)!.Value.Remedy);
        Assert.Equal("unknown@?", caller.ToString());
    }

    [Fact]
    public void A_refusal_says_what_is_needed()
    {
        var bert = new Caller("bert", 1001, 4712, null, Rights.Read);

        Assert.Null(bert.Refusal(changes: false));
        Assert.Null((bert with { Rights = Rights.All }).Refusal(changes: true));
        Assert.Equal(
            ("user bert may only read here, and this changes something",
                "run it as root or as a member of the group mirrord"),
            bert.Refusal(changes: true));
        Assert.StartsWith(
            "user bert may not use", (bert with { Rights = Rights.None }).Refusal(changes: false)!.Value.Problem);
    }
}
