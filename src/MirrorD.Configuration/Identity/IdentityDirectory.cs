using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MirrorD.Configuration.NodeState;

namespace MirrorD.Configuration.Identity;

/// <summary>
/// The files by which this node shows who it is and knows the others (docs/operating/security.md). Private ones belong to the
/// user that runs the daemon and are open to nobody else: that is checked at each load.
/// </summary>
public sealed class IdentityDirectory
{
    private const UnixFileMode Readable = PrivateFile.Mode | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>The directory need not exist.</summary>
    public IdentityDirectory(string path) => Path = path;

    /// <summary>The directory.</summary>
    public string Path { get; }

    /// <summary>Certificates of the cluster's authority, PEM.</summary>
    public string AuthorityFile => At("authority.crt");

    /// <summary>Private key of the authority, PEM.</summary>
    public string AuthorityKeyFile => At("authority.key");

    /// <summary>This node's certificate and private key, PEM.</summary>
    public string NodeFile => At("node.pem");

    /// <summary>Keys that were taken back: a line each with the hash, the node's name and the time.</summary>
    public string RevokedFile => At("revoked");

    /// <summary>Former keys of this node that not all nodes have taken back: a line each with the hash.</summary>
    public string FormerFile => At("former-keys");

    /// <summary>With which key each node was let in last: a line each with the name and the hash.</summary>
    public string KnownFile => At("known-keys");

    /// <summary>This node's certificate and key.</summary>
    /// <exception cref="NodeStateException">Missing, damaged, or open to others.</exception>
    public NodeIdentity LoadNode()
    {
        string pem = PrivateFile.Read(NodeFile, "this node has no certificate",
            "make a cluster with 'mirrorctl cluster init', or join one with 'mirrorctl cluster join'");
        try
        {
            return NodeIdentity.FromPem(pem);
        }
        catch (CryptographicException damaged)
        {
            throw new NodeStateException(
                $"{NodeFile} is damaged: {damaged.Message.TrimEnd('.')}",
                "restore it from a backup, or join this node anew with 'mirrorctl cluster join'");
        }
    }

    /// <summary>The authority with its key.</summary>
    /// <exception cref="NodeStateException">Missing, damaged, or open to others.</exception>
    public ClusterAuthority LoadAuthority()
    {
        string key = PrivateFile.Read(AuthorityKeyFile, "the key of the cluster's authority is missing",
            "use a node that has it, or restore it from a backup");
        try
        {
            return ClusterAuthority.FromPem(ReadAuthorities(), key);
        }
        catch (CryptographicException damaged)
        {
            throw new NodeStateException(
                $"{AuthorityKeyFile} does not fit {AuthorityFile}: {damaged.Message.TrimEnd('.')}",
                "restore both from the same backup, or copy both from another node");
        }
    }

    /// <summary>Who is trusted, as the files say now.</summary>
    /// <exception cref="NodeStateException">Missing or damaged.</exception>
    public ClusterTrust LoadTrust()
    {
        RequireUnchanged();
        if (File.Exists(AuthorityKeyFile))
        {
            PrivateFile.Require(AuthorityKeyFile);
        }

        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(ReadAuthorities());
            foreach (X509Certificate2 each in authorities)
            {
                _ = EcKeys.Public(each.PublicKey.ExportSubjectPublicKeyInfo());
            }
        }
        catch (CryptographicException damaged)
        {
            throw new NodeStateException(
                $"{AuthorityFile} is damaged: {damaged.Message.TrimEnd('.')}", "copy it from another node");
        }

        if (authorities.Count == 0)
        {
            throw new NodeStateException($"{AuthorityFile} is damaged: it holds no certificate", "copy it from another node");
        }

        return new ClusterTrust(authorities, LoadRevoked(), LoadKnown());
    }

    /// <summary>Writes the authority to whose cluster this node belongs from now on.</summary>
    /// <exception cref="NodeStateException">It can't be written.</exception>
    public void SaveAuthority(string certificatePem, string? keyPem) => PrivateFile.Guarded(AuthorityFile, () =>
    {
        MakeDirectory();
        if (keyPem is not null)
        {
            PrivateFile.Write(AuthorityKeyFile, keyPem.TrimEnd() + "\n");
        }

        DurableFile.Replace(AuthorityFile, Encoding.ASCII.GetBytes(certificatePem.TrimEnd() + "\n"), Readable);
    });

    /// <summary>Puts this node's certificate and key in the place of former ones.</summary>
    /// <exception cref="NodeStateException">They can't be written.</exception>
    public void SaveNode(NodeIdentity identity) => PrivateFile.Write(NodeFile, identity.Pem);

    /// <summary>Takes a key back.</summary>
    /// <exception cref="NodeStateException">It can't be written.</exception>
    public void Revoke(string keyHash, string name, DateTimeOffset now) => PrivateFile.Guarded(RevokedFile, () =>
    {
        if (!IsHash(keyHash))
        {
            throw new NodeStateException($"'{keyHash}' is no hash of a key", "install the same release on all nodes");
        }

        if (LoadRevoked().Contains(keyHash))
        {
            return;
        }

        // Somebody may have edited it, and left no end of its last line.
        string former = string.Concat(Lines(RevokedFile).Select(each => each.Line + "\n"));
        string line = string.Create(CultureInfo.InvariantCulture, $"{keyHash} {name} {now:yyyy-MM-ddTHH:mm:ssZ}\n");
        DurableFile.Replace(RevokedFile, Encoding.ASCII.GetBytes(former + line), Readable);
    });

    /// <summary>Notes a key of this node that is going to be a former one.</summary>
    /// <returns>All that are noted.</returns>
    /// <exception cref="NodeStateException">It can't be written.</exception>
    public IReadOnlyList<string> NoteFormer(string keyHash)
    {
        string[] formers = [.. Lines(FormerFile).Select(each => each.Line).Where(IsHash).Append(keyHash).Distinct()];
        PrivateFile.Guarded(FormerFile, () => DurableFile.Replace(
            FormerFile, Encoding.ASCII.GetBytes(string.Concat(formers.Select(each => each + "\n"))), Readable));
        return formers;
    }

    /// <summary>All nodes have taken this node's former keys back.</summary>
    /// <exception cref="NodeStateException">That can't be written.</exception>
    public void ForgetFormers() => PrivateFile.Guarded(FormerFile, () =>
    {
        File.Delete(FormerFile);
        DurableFile.FlushDirectory(Path);
    });

    /// <summary>Keeps in mind with which key a node was let in.</summary>
    /// <exception cref="NodeStateException">It can't be written.</exception>
    public void Remember(string name, string keyHash) => PrivateFile.Guarded(KnownFile, () =>
    {
        if (!IsHash(keyHash))
        {
            throw new NodeStateException($"'{keyHash}' is no hash of a key", "install the same release on all nodes");
        }

        Dictionary<string, string> known = LoadKnown();
        if (known.TryGetValue(name, out string? former) && former == keyHash)
        {
            return;
        }

        known[name] = keyHash;
        string text = string.Concat(
            known.OrderBy(each => each.Key, StringComparer.Ordinal).Select(each => $"{each.Key} {each.Value}\n"));
        DurableFile.Replace(KnownFile, Encoding.ASCII.GetBytes(text), Readable);
    });

    private HashSet<string> LoadRevoked()
    {
        var revoked = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string line, int number) in Lines(RevokedFile))
        {
            string hash = line.Split(' ')[0];
            if (!IsHash(hash))
            {
                throw new NodeStateException(
                    $"{RevokedFile}, line {number}: '{hash}' is no hash of a key", "copy the file from another node");
            }

            revoked.Add(hash);
        }

        return revoked;
    }

    /// <summary>A damaged line is as one that is not there: that node's certificate has to be valid.</summary>
    private Dictionary<string, string> LoadKnown() => Lines(KnownFile)
        .Select(each => each.Line.Split(' ')).Where(words => words.Length == 2 && IsHash(words[1]))
        .GroupBy(words => words[0], StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.Last()[1], StringComparer.Ordinal);

    private static bool IsHash(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);

    private static IEnumerable<(string Line, int Number)> Lines(string file)
    {
        try
        {
            return File.Exists(file)
                ? [.. File.ReadAllLines(file).Select((line, i) => (line.Trim(), i + 1)).Where(each => each.Item1.Length > 0)]
                : [];
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException($"{file} can't be read: {failed.Message.TrimEnd('.')}", "run this as root");
        }
    }

    private string ReadAuthorities()
    {
        try
        {
            return File.ReadAllText(AuthorityFile);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new NodeStateException(
                $"this node belongs to no cluster: there is no {AuthorityFile}",
                "make a cluster with 'mirrorctl cluster init', or join one with 'mirrorctl cluster join'");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException(
                $"{AuthorityFile} can't be read: {failed.Message.TrimEnd('.')}", "run this as root");
        }
    }

    /// <summary>Whoever can write here is trusted by this node: nobody else may.</summary>
    /// <exception cref="NodeStateException">Somebody else can.</exception>
    private void RequireUnchanged()
    {
        const UnixFileMode ByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        foreach (string path in (string[])[Path, AuthorityFile, RevokedFile, KnownFile])
        {
            if (!System.IO.Path.Exists(path))
            {
                continue;
            }

            if ((File.GetUnixFileMode(path) & ByOthers) != 0)
            {
                throw new NodeStateException($"{path} can be written by others", $"chmod go-w {path}, and see what is in it");
            }

            PrivateFile.RequireOwner(path);
        }
    }

    private void MakeDirectory() => Directory.CreateDirectory(Path, PrivateFile.DirectoryMode);

    private string At(string name) => System.IO.Path.Combine(Path, name);
}
