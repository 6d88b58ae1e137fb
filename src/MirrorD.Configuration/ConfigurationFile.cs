using MirrorD.Configuration.Reading;
using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration;

/// <summary>
/// Reads the cluster configuration: mirrord.yaml and, beside it, conf.d/*.yaml in the order of their names.
/// </summary>
public static class ConfigurationFile
{
    /// <summary>Where the configuration is unless another place is named.</summary>
    public const string DefaultPath = "/etc/mirrord/mirrord.yaml";

    /// <summary>Reads and checks everything; never throws for what a file says.</summary>
    /// <param name="path">The main file.</param>
    public static ConfigurationResult Load(string path)
    {
        var files = new List<string> { path };
        string extras = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/", "conf.d");
        if (Directory.Exists(extras))
        {
            files.AddRange(Directory.GetFiles(extras, "*.yaml").Order(StringComparer.Ordinal));
        }

        var errors = new ConfigurationErrors();
        var texts = new List<(string File, string Text)>();
        foreach (string file in files)
        {
            if (ReadText(file, errors) is { } text)
            {
                texts.Add((file, text));
            }
        }

        return Parse(texts, files, errors);
    }

    /// <summary>Reads and checks a configuration that is already in memory.</summary>
    /// <param name="texts">Files in order, with the name to use in messages.</param>
    public static ConfigurationResult Parse(params IReadOnlyList<(string File, string Text)> texts) =>
        Parse(texts, [.. texts.Select(text => text.File)], new ConfigurationErrors());

    private static ConfigurationResult Parse(
        IReadOnlyList<(string File, string Text)> texts, List<string> files, ConfigurationErrors errors)
    {
        YamlMapping? whole = null;
        foreach ((string file, string text) in texts)
        {
            if (new YamlTreeReader(file, errors).Read(new StringReader(text)) is { } tree)
            {
                whole = whole is null ? tree : YamlMerger.Merge(whole, tree, errors);
            }
        }

        ClusterConfiguration? configuration = null;
        if (whole is not null)
        {
            configuration = new ClusterReader(errors).Read(whole);
        }

        bool good = errors.Count == 0 && configuration is not null;
        return new ConfigurationResult(
            good ? configuration : null,
            errors.InOrder(files),
            good ? ConfigurationNotes.Of(configuration!) : [],
            files);
    }

    private static string? ReadText(string file, ConfigurationErrors errors)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception failed) when (failed is FileNotFoundException or DirectoryNotFoundException)
        {
            errors.Add(new SourcePlace(file, 0), "there is no such file",
                "write it (docs/configuration.md has an example), or name another one with --config");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            errors.Add(new SourcePlace(file, 0), $"can't be read: {failed.Message.TrimEnd('.')}",
                "run this as root, or as a user who may read the file");
        }

        return null;
    }
}
