using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Simulator;
using MirrorD.Simulator.PowerCuts;

if (Word(args, "--mode") is { } mode)
{
    ModeDraw.Only = Enum.Parse<ReplicationMode>(mode, ignoreCase: true);
}

MaintenanceDraw.IsForced = args.Contains("--maintenance");
if (Word(args, "--policy") is { } policy)
{
    PolicyDraw.Favoured = Enum.Parse<SplitBrainPolicy>(policy.Replace("-", ""), ignoreCase: true);
}

return args switch
{
    ["sim", .. var rest] => Seeds.Run(Option(rest, "--start", 1), (int)Option(rest, "--seeds", 200)),
    ["replay", .. var rest] => Seeds.Replay(Option(rest, "--seed", 1), Word(rest, "--rule")),
    ["shrink", .. var rest] => Shrinker.Run(Option(rest, "--seed", 1), Word(rest, "--rule")),
    ["cuts", .. var rest] when Word(rest, "--at") is not null => EveryPowerCut.Replay(
        (long)Option(rest, "--at", 1), Enum.Parse<PowerCutVictim>(Word(rest, "--victim") ?? "Both"), Word(rest, "--rule")),
    ["cuts", .. var rest] => EveryPowerCut.Run((int)Option(rest, "--every", 1), Word(rest, "--rule")),
    ["canaries", .. var rest] => Canaries.Run((int)Option(rest, "--seeds", 2000), Word(rest, "--rule")),
    _ => Usage(),
};

static ulong Option(string[] arguments, string name, ulong otherwise)
{
    int at = Array.IndexOf(arguments, name);
    return at >= 0 && at + 1 < arguments.Length ? ulong.Parse(arguments[at + 1]) : otherwise;
}

static string? Word(string[] arguments, string name)
{
    int at = Array.IndexOf(arguments, name);
    return at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : null;
}

static int Usage()
{
    Console.Error.WriteLine(
        "sim [--seeds N] [--start S] | replay --seed S [--rule NAME] | shrink --seed S [--rule NAME] | canaries [--seeds N] [--rule NAME] "
        + "| cuts [--every N] [--rule NAME] | cuts --at EVENT --victim A|B|Both [--rule NAME]; "
        + "each with [--mode sync|memory|async] for seeds of that mode only, [--policy discard-unchanged|discard-standby] "
        + "for seeds with that policy, in which the nodes part, [--maintenance] for an operator who disconnects them");
    return 2;
}
