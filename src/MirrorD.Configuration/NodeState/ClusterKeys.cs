namespace MirrorD.Configuration.NodeState;

/// <summary>
/// The keys of the datagrams that the nodes share, 32 random bytes each; in a file as lines of 64 hexadecimal digits, the
/// one that is sent with first. A second one is there while keys are exchanged: it is accepted, too.
/// </summary>
/// <param name="Sending">What is sent is authenticated with it.</param>
/// <param name="Accepted">What arrives may also be authenticated with this one; null: with the first one only.</param>
public sealed record ClusterKeys(byte[] Sending, byte[]? Accepted = null)
{
    /// <summary>Length of a key.</summary>
    public const int LengthBytes = 32;

    /// <summary>As they are written down: each in 64 hexadecimal digits, the one that is sent with first.</summary>
    public IReadOnlyList<string> Lines =>
        [.. new[] { Sending, Accepted }.OfType<byte[]>().Select(Convert.ToHexStringLower)];

    /// <summary>What arrives with this key is accepted.</summary>
    public bool Accepts(ReadOnlySpan<byte> key) =>
        key.SequenceEqual(Sending) || (Accepted is not null && key.SequenceEqual(Accepted));

    /// <summary>Reads <see cref="Lines"/>; null when they are no keys.</summary>
    public static ClusterKeys? FromLines(IEnumerable<string> lines)
    {
        byte[]?[] keys = [.. lines.Select(Parse)];
        return keys is [{ } only] ? new ClusterKeys(only)
            : keys is [{ } sending, { } accepted] ? new ClusterKeys(sending, accepted)
            : null;
    }

    /// <summary>Reads a key; null when it is none.</summary>
    public static byte[]? Parse(string text) =>
        text.Length == 2 * LengthBytes && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : null;

    /// <summary>Reads the file.</summary>
    /// <exception cref="NodeStateException">It is missing, damaged, or readable for others.</exception>
    public static ClusterKeys Load(string path)
    {
        string text = PrivateFile.Read(
            path, "the key of the heartbeats is missing", "copy the file from another node of the cluster");
        return FromLines(text.TrimEnd('\n').Split('\n')) ?? throw new NodeStateException(
            $"the key {path} is damaged: it is not one line, or two, of {2 * LengthBytes} hexadecimal digits",
            "copy the file from the other node");
    }

    /// <summary>Writes the file, in the place of a former one.</summary>
    /// <exception cref="NodeStateException">It can't be written.</exception>
    public void Save(string path) => PrivateFile.Write(path, string.Concat(Lines.Select(line => line + "\n")));
}
