// Tests start processes: a child holds every lock of this process from its fork until its exec, so that a
// test in parallel would now and then find its own file locked.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
