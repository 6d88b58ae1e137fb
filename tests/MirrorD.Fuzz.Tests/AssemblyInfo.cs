// The counters of edges are those of the process: a test that counts must not be cleared by another one.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
