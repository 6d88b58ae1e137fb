namespace MirrorD.Hosts.Tests.Failover;

/// <summary>Tests that depend on heartbeats in time: one after the other, with nothing beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FailoverCollection : ICollectionFixture<SharedPair>
{
    public const string Name = "failover";
}
