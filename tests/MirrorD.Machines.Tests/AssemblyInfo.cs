// Machines are slow, and the processors few.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
