namespace MirrorD.Engine.Nbd;

/// <summary>First in, first out, linked through its members, so that it never allocates.</summary>
internal sealed class ReplyQueue
{
    private QueuedReply? _last;

    /// <summary>The oldest; null when empty.</summary>
    public QueuedReply? First { get; private set; }

    /// <summary>Adds at the end.</summary>
    public void Enqueue(QueuedReply reply)
    {
        if (_last is null)
        {
            First = reply;
        }
        else
        {
            _last.Next = reply;
        }

        _last = reply;
    }

    /// <summary>Takes away <see cref="First"/>, which must not be null.</summary>
    public void RemoveFirst()
    {
        QueuedReply first = First!;
        First = first.Next;
        first.Next = null;
        if (First is null)
        {
            _last = null;
        }
    }
}
