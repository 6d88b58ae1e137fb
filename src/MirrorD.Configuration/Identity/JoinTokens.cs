using System.Globalization;
using System.Security.Cryptography;
using MirrorD.Configuration.NodeState;

namespace MirrorD.Configuration.Identity;

/// <summary>
/// The tokens that this node has given out: a file for each node that may come, with the hash of the secret and the
/// time until which it is good. A new token for a node ends the former one.
/// </summary>
public sealed class JoinTokens
{
    private readonly string _directory;

    /// <summary>The directory need not exist.</summary>
    public JoinTokens(IdentityDirectory identity) => _directory = Path.Combine(identity.Path, "tokens");

    /// <summary>
    /// Something waits to be redeemed and is not too old: without that no connection of a stranger is worth a look.
    /// </summary>
    public bool Any(DateTimeOffset now) => Directory.Exists(_directory)
        && Directory.EnumerateFiles(_directory).Any(file => Read(file) is { } token && now.ToUnixTimeSeconds() <= token.Until);

    /// <summary>Keeps a token for a node.</summary>
    /// <exception cref="NodeStateException">It can't be written.</exception>
    public void Add(JoinToken token, string node, DateTimeOffset until)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(token.Secret));
        PrivateFile.Write(
            FileOf(node), string.Create(CultureInfo.InvariantCulture, $"{hash} {until.ToUnixTimeSeconds()}\n"));
    }

    /// <summary>Uses a token up: true once for each, and never after its time.</summary>
    /// <param name="node">The node that comes; a name of the configuration.</param>
    /// <param name="secret">What it says.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="IOException">That it is used up can't be stored: it is not used then.</exception>
    public bool Redeem(string node, ReadOnlySpan<byte> secret, DateTimeOffset now)
    {
        string file = FileOf(node);
        if (Read(file) is not { } token || !CryptographicOperations.FixedTimeEquals(SHA256.HashData(secret), token.Hash))
        {
            return false;
        }

        File.Delete(file);
        DurableFile.FlushDirectory(_directory);
        return now.ToUnixTimeSeconds() <= token.Until;
    }

    /// <summary>What a file says; null when it is no token's.</summary>
    private static (byte[] Hash, long Until)? Read(string file)
    {
        string[] words = File.Exists(file) ? File.ReadAllText(file).Trim().Split(' ') : [];
        return words.Length == 2
            && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out long until)
            && words[0].Length == 2 * SHA256.HashSizeInBytes && words[0].All(char.IsAsciiHexDigit)
            ? (Convert.FromHexString(words[0]), until)
            : null;
    }

    private string FileOf(string node) => Path.Combine(_directory, node);
}
