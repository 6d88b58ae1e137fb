using MirrorD.Core.Handshake;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Handshake;

/// <summary>
/// A second reading of section 4, written down as the explicit-state model that the contract was checked with
/// has it (plain if-chains over small numbers), against the table.
/// </summary>
public class HandshakeModelTests
{
    private enum Kind
    {
        NoSync, Bitmap, Full, Split, Operator,
    }

    private sealed record Node
    {
        public int Current { get; init; } = 1;
        public int Bitmap { get; init; }
        public int History { get; init; }
        public int State { get; init; } = 2; // 0 Inconsistent, 1 Outdated, 2 UpToDate
        public bool Primary { get; init; }
        public bool WasPrimary { get; init; }
        public bool Proof { get; init; }
        public int Promotions { get; init; }
        public bool Set { get; init; }
        public bool Rebooted { get; init; }
    }

    [Fact]
    public void The_table_agrees_with_the_model()
    {
        int compared = 0;
        foreach ((Node a, Node b) in SameGeneration().Concat(Diverged()))
        {
            if (a.Primary && b.Primary && !a.Proof && !b.Proof)
            {
                continue; // The model demotes whichever comes first; the table says which.
            }

            compared++;
            (Kind kind, int source) = Model(a, b);
            HandshakeDecision decision = Final(Of(Facts.A, a, b), Of(Facts.B, b, a));
            Kind found = decision.Action switch
            {
                HandshakeAction.NoSync => Kind.NoSync,
                HandshakeAction.BitmapSync => Kind.Bitmap,
                HandshakeAction.FullSync => Kind.Full,
                HandshakeAction.SplitBrain or HandshakeAction.Refuse => Kind.Split,
                _ => Kind.Operator,
            };
            bool anySource = kind >= Kind.Split
                || (decision.Case == HandshakeCase.Same && a.State == b.State);

            // An Inconsistent target with nothing left to copy: the model calls it no sync, the code a sync
            // of nothing.
            bool emptyBitmap = kind == Kind.NoSync && found == Kind.Bitmap
                && (decision.SelfIs == HandshakePart.Target ? a : b).State == 0;
            bool sameSource = (source == 0) == (decision.SelfIs == HandshakePart.Source);
            if ((kind != found && !emptyBitmap) || (!anySource && !sameSource))
            {
                Assert.Fail($"model: {kind} from {source}; table: {decision}\n{a}\n{b}");
            }
        }

        Assert.True(compared > 50_000, $"{compared}");
    }

    /// <summary>Connecting: demotions first, then the rows, then the guard of the target.</summary>
    private static (Kind Kind, int Source) Model(Node a, Node b)
    {
        Node[] n = [a, b];
        if (a.Primary && b.Primary)
        {
            if (a.Proof && b.Proof)
            {
                return (Kind.Split, 0);
            }

            int demoted = a.Proof ? 1 : 0;
            n[demoted] = n[demoted] with { Primary = false };
        }

        (Kind kind, int source) = ModelRows(n[0], n[1]);
        if (kind <= Kind.Full && n[1 - source].Primary && !n[1 - source].Proof)
        {
            n[1 - source] = n[1 - source] with { Primary = false };
            (kind, source) = ModelRows(n[0], n[1]);
        }

        return kind <= Kind.Full && n[1 - source].Primary ? (Kind.Operator, 0) : (kind, source);
    }

    private static (Kind Kind, int Source) ModelRows(Node a, Node b)
    {
        bool bits = a.Set || b.Set;
        Node[] n = [a, b];
        Kind k = bits ? Kind.Bitmap : Kind.NoSync;
        (Kind Kind, int Source) result;
        if (a.Current == b.Current)
        {
            bool crashedA = a.WasPrimary && !a.Primary;
            bool crashedB = b.WasPrimary && !b.Primary;
            if (a.State == 0 && b.State == 0)
            {
                return (Kind.Operator, 0);
            }
            else if (a.State == 0 || b.State == 0)
            {
                result = (k, a.State == 0 ? 1 : 0);
            }
            else if (a.Primary != b.Primary)
            {
                result = (k, a.Primary ? 0 : 1);
            }
            else if (a.Promotions != b.Promotions)
            {
                result = (k, a.Promotions > b.Promotions ? 0 : 1);
            }
            else if (crashedA != crashedB)
            {
                int crashed = crashedA ? 0 : 1;
                result = (k, !n[1 - crashed].Rebooted ? 1 - crashed : crashed);
            }
            else if ((a.Bitmap != 0) != (b.Bitmap != 0))
            {
                result = (k, a.Bitmap != 0 ? 0 : 1);
            }
            else if (a.Set != b.Set)
            {
                result = (k, a.Set ? 0 : 1);
            }
            else if (!bits)
            {
                result = (Kind.NoSync, 0);
            }
            else
            {
                return (Kind.Operator, 0);
            }

            return n[result.Source].State != 2 && n[1 - result.Source].State == 2
                ? (result.Kind, 1 - result.Source)
                : result;
        }

        bool peerAhead = b.Bitmap != 0 && a.Current == b.Bitmap;
        bool selfAhead = a.Bitmap != 0 && a.Bitmap == b.Current;
        bool inB = (b.History >> a.Current & 1) != 0;
        bool inA = (a.History >> b.Current & 1) != 0;
        result = peerAhead && selfAhead ? (Kind.Split, 0)
            : peerAhead ? (Kind.Bitmap, 1)
            : selfAhead ? (Kind.Bitmap, 0)
            : inB && !inA ? (Kind.Full, 1)
            : inA && !inB ? (Kind.Full, 0)
            : (Kind.Split, 0);
        return result.Kind < Kind.Split && (n[result.Source].State == 0
            || (n[result.Source].State != 2 && n[1 - result.Source].State == 2))
            ? (Kind.Operator, 0)
            : result;
    }

    /// <summary>Follows the demotions that the table asks for.</summary>
    private static HandshakeDecision Final(HandshakeFacts a, HandshakeFacts b)
    {
        for (int round = 0; round < 3; round++)
        {
            HandshakeDecision decision = HandshakeTable.Decide(a, b);
            if (decision.Action != HandshakeAction.DemoteFirst)
            {
                return decision;
            }

            a = decision.SelfIs == HandshakePart.Target ? a with { IsPrimary = false } : a;
            b = decision.SelfIs == HandshakePart.Source ? b with { IsPrimary = false } : b;
        }

        throw new InvalidOperationException("Demotions never end.");
    }

    private static HandshakeFacts Of(HandshakeFacts side, Node node, Node other) => side with
    {
        Current = new((ulong)node.Current),
        Bitmap = new((ulong)node.Bitmap),
        History = [.. Enumerable.Range(1, 4).Where(g => (node.History >> g & 1) != 0)
            .Select(g => new Generation((ulong)g))],
        DiskState = node.State switch
        {
            0 => DiskState.Inconsistent,
            1 => DiskState.Outdated,
            _ => DiskState.UpToDate,
        },
        IsPrimary = node.Primary,
        WasPrimary = node.WasPrimary,
        HasProof = node.Proof,
        Promotions = (ulong)node.Promotions,
        SyncSetBlocks = node.Set ? 1 : 0,
        PeerBoot = other.Rebooted ? default : side.PeerBoot,
    };

    private static IEnumerable<(Node, Node)> SameGeneration()
    {
        Node[] sides =
        [
            .. from state in Enumerable.Range(0, 3)
               from role in Enumerable.Range(0, 5)
               from bitmap in (int[])[0, 3]
               from set in (bool[])[false, true]
               from promotions in (int[])[1, 2]
               from rebooted in (bool[])[false, true]
               select new Node
               {
                   State = state,
                   Primary = role >= 3,
                   WasPrimary = role is 1 or 3 or 4,
                   Proof = role is 2 or 4,
                   Bitmap = bitmap,
                   Set = set,
                   Promotions = promotions,
                   Rebooted = rebooted,
               },
        ];
        return from a in sides from b in sides select (a, b);
    }

    private static IEnumerable<(Node, Node)> Diverged()
    {
        IEnumerable<Node> Sides(int own, int other) =>
            from state in Enumerable.Range(0, 3)
            from role in Enumerable.Range(0, 3)
            from bitmap in (int[])[0, other, 3]
            from history in (int[])[0, 1 << other, 1 << 3, 1 << other | 1 << 3]
            from set in (bool[])[false, true]
            select new Node
            {
                Current = own,
                State = state,
                Primary = role >= 1,
                WasPrimary = role >= 1,
                Proof = role == 2,
                Bitmap = bitmap,
                History = history,
                Set = set,
            };
        Node[] theirs = [.. Sides(2, 1)];
        return from a in Sides(1, 2) from b in theirs select (a, b);
    }
}
