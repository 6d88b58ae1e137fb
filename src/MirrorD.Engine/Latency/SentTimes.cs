namespace MirrorD.Engine.Latency;

/// <summary>
/// When clients' writes were handed to the link, by their sequence. Bounded: of more than <see cref="Places"/> on their way
/// the oldest are not measured.
/// </summary>
internal sealed class SentTimes
{
    private const int Places = 1024;

    private readonly Sent[] _sent = new Sent[Places];

    /// <summary>A write leaves.</summary>
    public void Note(long sequence, int volume, long nowNs) => _sent[sequence % Places] = new Sent(sequence, nowNs, volume);

    /// <summary>Finds a write that the peer has acknowledged; false when it is none, or was not kept.</summary>
    public bool TryTake(long sequence, out int volume, out long sentNs)
    {
        ref Sent place = ref _sent[(ulong)sequence % Places];
        bool isKept = sequence > 0 && place.Sequence == sequence;
        volume = place.Volume;
        sentNs = place.AtNs;
        if (isKept)
        {
            place = default;
        }

        return isKept;
    }

    /// <summary>Sequences begin anew with a connection.</summary>
    public void Clear() => Array.Clear(_sent);

    private readonly record struct Sent(long Sequence, long AtNs, int Volume);
}
