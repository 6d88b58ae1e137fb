using MirrorD.Core.Handshake;
using MirrorD.Core.Metadata;
using MirrorD.Formats;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Replication;

/// <summary>
/// A volume grows, by an operator's word, after its disks were enlarged on both nodes. Steps: both find room and put their
/// metadata where it allows the new size, which changes nothing else; the link is closed; the next handshake carries the size
/// that is wanted, and both sides agree on the larger of what they have stored and what is wanted and has room. Each side
/// first stores that all of the new area is dirty and then the size, the source before it says so to the target, the target
/// before J1. The resync of that join makes the new area equal; clients may use it from J2 on. A side that has stored the
/// size when the other one has not is made up for by the next handshake, since nothing ever shrinks.
/// </summary>
public sealed partial class Replica
{
    private const long GrowthPatienceNs = 30_000_000_000;

    private readonly long[] _served;
    private CommandAnswer? _growth;
    private PeerMessage.GrowAsk? _ask;
    private ulong _asks;
    private bool _makesRoom;
    private long _growthUntilNs;
    private long[]? _wanted;

    /// <summary>The size that clients may use: the stored one, or before J2 of the join that grows it the one before.</summary>
    public long ServedBytes(int volume) => _served[volume];

    /// <summary>
    /// Grows a volume, or all that have room, to this size, or to the largest that both nodes have room for.
    /// </summary>
    /// <param name="volume">Number of the volume; null: all.</param>
    /// <param name="dataBytes">Its new size; null: as large as possible.</param>
    /// <param name="answer">When the new size is durable on this node and its area is being copied.</param>
    public void Grow(int? volume, long? dataBytes, CommandAnswer answer)
    {
        if (RefusalOfGrowth() is { } refusal)
        {
            answer(false, refusal.Message, refusal.Remedy);
            return;
        }

        if (dataBytes is not null && volume is null && _maps.Length > 1)
        {
            answer(false, $"{_settings.Resource} has {_maps.Length} volumes", "say which one has this size, with its name");
            return;
        }

        long[] wanted = new long[_maps.Length];
        for (int i = 0; i < wanted.Length; i++)
        {
            if (volume is not null && volume != i)
            {
                continue;
            }

            long room = _effects.FindRoom(i, out string? obstacle);
            if (dataBytes is { } exact && WhyNot(i, exact, room, obstacle) is { } why)
            {
                answer(false, why.Message, why.Remedy);
                return;
            }

            wanted[i] = dataBytes ?? (room > _stored[i].DataBytes ? room : 0);
            if (wanted[i] == 0 && (volume is not null || _maps.Length == 1))
            {
                answer(false, NoRoom(_settings.NodeName, i, room), obstacle ?? Enlarge);
                return;
            }
        }

        if (Array.TrueForAll(wanted, bytes => bytes == 0))
        {
            answer(false, $"no volume has more room on {_settings.NodeName}", Enlarge);
            return;
        }

        _growth = answer;
        _growthUntilNs = _effects.NowNs + GrowthPatienceNs;
        _ask = new PeerMessage.GrowAsk(++_asks, dataBytes is not null, wanted);
        _effects.SendMessage(_ask);
    }

    /// <summary>Why <see cref="Grow"/> would be refused as things are; null when it is worth a try.</summary>
    public (string Message, string? Remedy)? RefusalOfGrowth() =>
        Failure is not null || IsDiskless ? ("no disk is attached", $"mirrorctl explain {_settings.Resource}")
        : Phase != LinkPhase.Joined || _keeps
            ? ($"{_settings.PeerName} is not joined: both nodes grow together", "wait until it is, see 'mirrorctl status'")
        : IsChanging ? ("another change is under way", "mirrorctl status")
        : null;

    private const string Enlarge =
        "enlarge the backing device or file on both nodes first (lvextend, truncate -s), then run the command again";

    private bool IsChanging => _growth is not null || _makesRoom || _discard is not null || _demotion is not null
        || _promotion is not null || _detach is not null || _stopping;

    private static string NoRoom(string node, int volume, long roomBytes) =>
        $"volume {volume} has room for {roomBytes} bytes on {node}, no more than it has";

    private (string Message, string? Remedy)? WhyNot(int volume, long dataBytes, long room, string? obstacle)
    {
        string name = _stored[volume].VolumeName;
        long present = _stored[volume].DataBytes;
        return dataBytes % DirtyMap.BlockBytes != 0
                ? ($"{dataBytes} bytes are not a multiple of {DirtyMap.BlockBytes}",
                    $"the nearest size is {NearestBlock(dataBytes, room)} bytes")
            : dataBytes == present ? ($"volume {name} has {present} bytes already", null)
            : dataBytes < present
                ? ($"volume {name} has {present} bytes, and a volume never shrinks",
                    "make a smaller one of its own and copy what is on it")
            : dataBytes > room
                ? ($"volume {name} has room for {room} bytes on {_settings.NodeName}, not for {dataBytes}", obstacle ?? Enlarge)
            : null;
    }

    private static long NearestBlock(long bytes, long room)
    {
        long rest = bytes % DirtyMap.BlockBytes;
        bool isNearerBelow = rest * 2 < DirtyMap.BlockBytes || bytes > room;
        return bytes - rest + (isNearerBelow ? 0 : DirtyMap.BlockBytes);
    }

    /// <summary>The peer's operator grows volumes: room is made here, if there is any, and nothing else is changed.</summary>
    private string? AnswerGrowAsk(PeerMessage.GrowAsk ask)
    {
        if (ask.DataBytes.Count != _maps.Length || ask.DataBytes.Any(bytes => bytes < 0 || bytes % DirtyMap.BlockBytes != 0))
        {
            return $"a growth of {ask.DataBytes.Count} volumes";
        }

        if (RefusalOfGrowth() is { } refusal)
        {
            _effects.SendMessage(new PeerMessage.GrowAnswer(ask.Number, [], $"{_settings.NodeName}: {refusal.Message}"));
            return null;
        }

        long[] offered = new long[_maps.Length];
        string reason = "";
        for (int i = 0; i < offered.Length; i++)
        {
            long room = Math.Min(_effects.FindRoom(i, out string? obstacle), ask.DataBytes[i]);
            bool suffices = room > _stored[i].DataBytes && (!ask.IsExact || room == ask.DataBytes[i]);
            offered[i] = suffices ? room : 0;
            reason = ask.DataBytes[i] == 0 || suffices ? reason
                : obstacle is null ? NoRoom(_settings.NodeName, i, room) : $"{_settings.NodeName}: {obstacle}";
        }

        int link = _link;
        MakeRoom(offered, () =>
        {
            if (link == _link && Phase == LinkPhase.Joined)
            {
                _effects.SendMessage(new PeerMessage.GrowAnswer(ask.Number, offered, reason));
            }
        });
        return null;
    }

    private string NotAsked => $"{_settings.PeerName} answered what was not asked; nothing was changed";

    private const string SameRelease = "install the same release on both nodes, then run the command again";

    private string? GrowAnswered(PeerMessage.GrowAnswer answer)
    {
        if (_ask is not { } ask || answer.Number != ask.Number)
        {
            // The command that asked has ended meanwhile. Another one may have asked for something else.
            return null;
        }

        _ask = null;
        if (answer.DataBytes.Count == 0 || answer.DataBytes.All(bytes => bytes == 0))
        {
            FinishGrowth(false, answer.Reason, Enlarge);
            return null;
        }

        if (answer.DataBytes.Count != _maps.Length)
        {
            FinishGrowth(false, NotAsked, SameRelease);
            return $"room for {answer.DataBytes.Count} volumes";
        }

        long[] agreed = [.. answer.DataBytes];
        for (int i = 0; i < agreed.Length; i++)
        {
            // Nothing ever shrinks: no answer makes a volume larger than was asked for here.
            if (agreed[i] != 0 && (agreed[i] <= _stored[i].DataBytes || agreed[i] > ask.DataBytes[i]
                || agreed[i] % DirtyMap.BlockBytes != 0 || (ask.IsExact && agreed[i] != ask.DataBytes[i])
                || agreed[i] > _effects.FindRoom(i, out _)))
            {
                FinishGrowth(false, NotAsked, SameRelease);
                return $"room for {agreed[i]} bytes";
            }
        }

        int link = _link;
        MakeRoom(agreed, () =>
        {
            if (_growth is null || link != _link || Phase != LinkPhase.Joined)
            {
                FinishGrowth(false, "the state changed meanwhile", "mirrorctl status");
                return;
            }

            _wanted = agreed;
            _effects.CloseLink("volumes grow: the nodes join anew", operatorNeeded: false);
        });
        return null;
    }

    private void MakeRoom(long[] dataBytes, Action then)
    {
        int missing = 1;
        _makesRoom = true;
        _busy++;
        void Made(int error)
        {
            if (error != 0)
            {
                DiskFailed($"moving the metadata failed with errno {error}");
            }

            if (--missing > 0)
            {
                return;
            }

            _busy--;
            _makesRoom = false;
            if (Failure is null && !IsDiskless)
            {
                then();
            }

            Settle();
        }

        for (int i = 0; i < dataBytes.Length; i++)
        {
            if (dataBytes[i] > 0)
            {
                missing++;
                _effects.MakeRoom(i, dataBytes[i], Made);
            }
        }

        Made(0);
    }

    private HandshakeFacts WithRoom(HandshakeFacts facts) => facts with
    {
        Volumes = [.. facts.Volumes.Select((volume, i) => volume with
        {
            RoomBytes = _effects.RoomBytes(i),
            WantedBytes = _wanted is null ? 0 : _wanted[i],
        })],
    };

    /// <summary>
    /// Stores what the handshake has agreed on: first that all of the new area is dirty, then the size. A later handshake
    /// waits until that has ended (<see cref="WhenQuiet"/>), also when the link is lost meanwhile.
    /// </summary>
    private void AfterGrowth(Action then)
    {
        var pair = new HandshakePair(_ownFacts!, _peerFacts!);
        long[] agreed = [.. Enumerable.Range(0, _maps.Length).Select(pair.AgreedBytes)];
        bool grows = false;
        for (int i = 0; i < _maps.Length; i++)
        {
            if (agreed[i] > _stored[i].DataBytes)
            {
                grows = true;
                _maps[i].Grow(agreed[i]);
                if (Canary.Breaks(BrokenRule.GrownAreaClean))
                {
                    long first = _stored[i].DataBytes / DirtyMap.BlockBytes;
                    _maps[i].ClearBlocks(first, _maps[i].BlockCount - first);
                }
            }
        }

        if (!grows)
        {
            then();
            return;
        }

        int link = _link;
        StoreDirty(() => Store(
            s => s with { DataBytes = agreed[s.VolumeIndex] },
            () =>
            {
                if (link == _link)
                {
                    then();
                }
            }));
    }

    /// <summary>J1 or J2 is stored: both sides have the size.</summary>
    private void ServeGrown()
    {
        bool grew = false;
        for (int i = 0; i < _served.Length; i++)
        {
            if (_served[i] != _stored[i].DataBytes)
            {
                grew = true;
                _effects.Raise("volume-grew", $"{_settings.Resource}: volume {_stored[i].VolumeName} grew from "
                    + $"{_served[i]} to {_stored[i].DataBytes} bytes; the new area is being copied");
                _served[i] = _stored[i].DataBytes;
            }
        }

        if (grew)
        {
            _effects.VolumesGrew();
        }

        if (_wanted is not null)
        {
            string sizes = string.Join(", ", _stored.Select(s => $"{s.VolumeName} {s.DataBytes}"));
            FinishGrowth(grew, grew ? $"bytes of the volumes now: {sizes}; the new area is being copied, see 'mirrorctl status'"
                : "the nodes have joined with the sizes as they were", grew ? null : "run the command again");
        }
    }

    private void GrowthAfterLinkLoss()
    {
        if (_ask is not null)
        {
            FinishGrowth(false, "the link was lost; nothing was changed", "run the command again");
        }
    }

    private void WatchGrowth()
    {
        if (_growth is not null && _effects.NowNs >= _growthUntilNs)
        {
            FinishGrowth(false, $"{_settings.PeerName} has not joined with the new size yet",
                "run the command again once it is joined; what is stored already stays as it is");
        }
    }

    private void FailGrowth(string reason)
    {
        if (_growth is not null)
        {
            FinishGrowth(false, reason, IsDetached ? $"mirrorctl attach {_settings.Resource}, then run the command again"
                : "replace the disk");
        }
    }

    private void FinishGrowth(bool succeeded, string message, string? remedy)
    {
        CommandAnswer? answer = _growth;
        _growth = null;
        _wanted = null;
        _ask = null;
        answer?.Invoke(succeeded, message, remedy);
    }
}
