using MirrorD.Core.Handshake;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Handshake;

/// <summary>A side without disk meets the other one: every combination of what could tell against going on.</summary>
public class DisklessPrimaryTests
{
    [Fact]
    public void It_goes_on_only_with_the_copy_that_it_went_on_with_unserved_and_unharmed_since()
    {
        int served = 0;
        HandshakeFacts[] mine = [.. from state in (DiskState[])[DiskState.Diskless, DiskState.Failed]
                                    from isPrimary in (bool[])[false, true]
                                    select Facts.A with { DiskState = state, IsPrimary = isPrimary, Promotions = 3 }];
        HandshakeFacts[] theirs = [.. from state in Enum.GetValues<DiskState>()
                                      from isPrimary in (bool[])[false, true]
                                      from hasProof in (bool[])[false, true]
                                      from promotions in (ulong[])[2, 3, 4]
                                      from generation in (ulong[])[1, 2]
                                      from boot in (Guid[])[Facts.BootOfB, Facts.BootOfA]
                                      select Facts.B with
                                      {
                                          DiskState = state,
                                          IsPrimary = isPrimary,
                                          HasProof = hasProof,
                                          Promotions = promotions,
                                          Current = new(generation),
                                          Boot = new(boot),
                                      }];
        foreach (HandshakeFacts a in mine)
        {
            foreach (HandshakeFacts b in theirs)
            {
                bool isItsCopy = a.IsPrimary && !b.IsPrimary && b.DiskState == DiskState.UpToDate && b.HasProof
                    && b.Promotions == 3 && b.Current == a.Current && b.Boot.Value == Facts.BootOfB;
                HandshakeDecision decision = Facts.Decide(a, b);
                Assert.Equal(isItsCopy
                    ? new(HandshakeCase.DisklessPrimary, HandshakeAction.ServeDiskless, HandshakePart.Target)
                    : new(HandshakeCase.NoDisk, HandshakeAction.Refuse, HandshakePart.None), decision);
                Assert.False(decision.Joins);
                served += isItsCopy ? 1 : 0;
            }
        }

        Assert.Equal(2, served);
    }
}
