namespace MirrorD.Fuzz.Planted;

/// <summary>Bugs in how others show who they are.</summary>
public static partial class PlantedBugs
{
    private const string Tls = "src/MirrorD.Io.Linux/Tls/TlsSession.cs";
    private const string Identities = "src/MirrorD.Configuration/Identity";
    private const string Caller = "src/MirrorD.Daemon/Access/Caller.cs";

    private static PlantedBug[] Identity =>
    [
        new("tls", Tls, "if (Problem is not null || IsSecure ||", "if (IsSecure ||",
            "a handshake goes on after it was broken off"),
        new("tls", Tls,
            "consumedBytes = receivedBytes - _bio->InBytes;", "consumedBytes = receivedBytes;",
            "what there was no room for is lost"),
        new("tls", Tls,
            "_bio->OutRoomBytes = roomBytes;", "_bio->OutRoomBytes = 2 * roomBytes;",
            "more is written than there is room for"),
        new("certificate", $"{Identities}/ClusterTrust.cs",
            "return unusedBits == 0 && !parts.HasData &&", "return unusedBits == 0 || !parts.HasData &&",
            "a signature that is wrong is enough"),
        new("certificate", $"{Identities}/ClusterTrust.Clients.cs",
            "!allowed.Contains(says.Name)", "allowed.Count == 0", "any client is allowed where one is"),
        new("certificate", $"{Identities}/CertificateParts.cs",
            "catch (AsnContentException)", "catch (FormatException)", "damaged alternative names end in an exception"),
        new("identity-files", $"{Identities}/IdentityDirectory.cs",
            "words.Length == 2 && IsHash(words[1])", "words.Length > 0 && IsHash(words[1])", "a line without a second word"),
        new("identity-files", $"{Identities}/EcKeys.cs",
            "is ArgumentException or NotSupportedException or", "is NotSupportedException or",
            "a file without a key ends in an exception"),
        new("identity-files", $"{Identities}/NodeIdentity.cs",
            "if (!EcKeys.IsOf(key, certificate))", "if (false)", "a key of another certificate is taken"),
        new("join", $"{Identities}/JoinToken.cs",
            "&& written == Bytes && bytes[0] == Version", "&& written == Bytes", "any version is accepted"),
        new("join", $"{Identities}/JoinExchange.cs",
            "if (bodyBytes is <= 0 or > MostBytes)", "if (bodyBytes is 0 or > MostBytes)", "a length below zero"),
        new("join", $"{Identities}/JoinTokens.cs",
            " && words[0].All(char.IsAsciiHexDigit)", "", "a hash that is none"),
        new("forwarded-call", Caller,
            "match.Success && match.Groups[\"node\"].Value == node", "match.Success", "a node speaks for users of others"),
        new("forwarded-call", Caller,
            "&& uint.TryParse(match.Groups[\"uid\"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out uint uid)",
            "&& ulong.TryParse(match.Groups[\"uid\"].Value, out ulong read) && (uint)read is var uid",
            "the number of a user is cut to 32 bits"),
        new("forwarded-call", "src/MirrorD.Daemon/Access/BroughtCalls.cs",
            "if (read.Buffer.Length < PrefaceBytes)", "if (read.Buffer.Length == 0)", "a part of the preface is enough"),
    ];
}
