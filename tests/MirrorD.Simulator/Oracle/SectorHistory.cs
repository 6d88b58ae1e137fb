namespace MirrorD.Simulator.Oracle;

/// <summary>
/// What one sector may hold. <see cref="Possible"/>: the mutations of which one is the present contents. <see
/// cref="Unsettled"/>: those of which one may come back when a copy loses power, a superset.
/// </summary>
public sealed class SectorHistory
{
    /// <summary>One of these is the present contents.</summary>
    public List<Mutation> Possible { get; } = [Mutation.Beginning];

    /// <summary>One of these is what a copy holds after it lost power.</summary>
    public List<Mutation> Unsettled { get; } = [Mutation.Beginning];

    /// <summary>
    /// Those of which one is what a copy holds that did not get the latest writes and lost nothing of what it got: neither
    /// what was flushed nor what was read is missing there. A superset of <see cref="Possible"/>, part of <see
    /// cref="Unsettled"/>.
    /// </summary>
    public List<Mutation> Behind { get; } = [Mutation.Beginning];

    /// <summary>A power cut could bring older contents than a read would find.</summary>
    public bool IsUnsettled => Unsettled.Count > 1;

    /// <summary>From now on the mutation may have taken effect.</summary>
    public void Submitted(Mutation mutation)
    {
        Possible.Add(mutation);
        Unsettled.Add(mutation);
        Behind.Add(mutation);
    }

    /// <summary>The mutation has taken effect: what was certainly over before it is gone.</summary>
    public void Acknowledged(Mutation mutation)
    {
        Possible.RemoveAll(other => other.IsBefore(mutation));
        if (mutation.ForceUnitAccess)
        {
            Unsettled.RemoveAll(other => other.IsBefore(mutation));
            Behind.RemoveAll(other => other.IsBefore(mutation));
        }
    }

    /// <summary>
    /// A read that began at the given time saw one of these: it is the contents, unless something that was
    /// not yet over then has taken effect since.
    /// </summary>
    public void Seen(List<Mutation> matching, long readBeganAt)
    {
        if (Possible.Exists(matching.Contains))
        {
            Possible.RemoveAll(other => other.EndedAt < readBeganAt && !matching.Contains(other));
            Behind.RemoveAll(other => other.EndedAt < readBeganAt && !matching.Contains(other));
        }
    }

    /// <summary>A flush that began at the given time, when these were possible, was acknowledged.</summary>
    public void Flushed(List<Mutation> possibleThen, long flushBeganAt)
    {
        Unsettled.RemoveAll(other => other.EndedAt < flushBeganAt && !possibleThen.Contains(other));
        Behind.RemoveAll(other => other.EndedAt < flushBeganAt && !possibleThen.Contains(other));
    }

    /// <summary>
    /// The node that served has died: what was read of an unacknowledged mutation proves nothing about the
    /// other copy.
    /// </summary>
    public void Crashed()
    {
        foreach (Mutation mutation in Unsettled)
        {
            bool overwritten = Unsettled.Exists(later => later.IsAcknowledged && mutation.IsBefore(later));
            if (!overwritten)
            {
                AddTo(Possible, mutation);
                AddTo(Behind, mutation);
            }
        }
    }

    /// <summary>The contents now come from a copy that has lost power since its last flush.</summary>
    public void RolledBack()
    {
        foreach (Mutation mutation in Unsettled)
        {
            AddTo(Possible, mutation);
            AddTo(Behind, mutation);
        }
    }

    /// <summary>The contents now come from a copy that did not get the latest writes.</summary>
    public void FellBehind() => Behind.ForEach(mutation => AddTo(Possible, mutation));

    private static void AddTo(List<Mutation> set, Mutation mutation)
    {
        if (!set.Contains(mutation))
        {
            set.Add(mutation);
        }
    }
}
