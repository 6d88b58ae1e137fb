using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace MirrorD.Configuration.Yaml;

/// <summary>
/// Reads YAML into a tree with places. Built on the event parser because the object mapper of the library
/// needs reflection and reports neither every error nor the line of a key.
/// </summary>
internal sealed class YamlTreeReader(string file, ConfigurationErrors errors)
{
    /// <summary>Deeper nesting is an error; the schema needs seven.</summary>
    private const int DeepestNesting = 32;

    /// <summary>The root mapping; null when there is none, with the reasons among the errors.</summary>
    public YamlMapping? Read(TextReader text)
    {
        Parser? parser = null;
        try
        {
            parser = new Parser(text);
            return ReadDocument(parser);
        }
        catch (YamlException broken)
        {
            errors.Add(
                new SourcePlace(file, (int)Math.Max(broken.Start.Line, broken.End.Line)),
                $"not valid YAML: {FirstSentence(broken.Message)}",
                "check indentation (spaces, no tabs), quotes and brackets around this line");
            return null;
        }
        catch (Exception broken) when (broken is InvalidOperationException or ArgumentException)
        {
            // The library lets these out of its scanner for some texts, without their place: it lies behind what was read
            // last.
            errors.Add(
                new SourcePlace(file, (int)(parser?.Current?.End.Line ?? 0)),
                "not valid YAML: what stands here or below can't be read",
                "check quotes, brackets and words that begin with '!' from this line on");
            return null;
        }
    }

    private YamlMapping? ReadDocument(Parser parser)
    {
        parser.Consume<StreamStart>();
        if (!parser.Accept<DocumentStart>(out _))
        {
            return new YamlMapping(new SourcePlace(file, 0));
        }

        parser.Consume<DocumentStart>();
        YamlNode? root = ReadNode(parser, 0);
        parser.Consume<DocumentEnd>();
        if (parser.Accept<DocumentStart>(out DocumentStart? second))
        {
            errors.Add(PlaceOf(second), "a second YAML document begins here",
                "keep one document per file; put more into conf.d/");
        }

        switch (root)
        {
            case null:
                return null;
            case YamlMapping mapping:
                return mapping;
            case { IsEmpty: true }:
                return new YamlMapping(root.Place);
            default:
                errors.Add(root.Place, $"{root.Kind} stands here where a mapping is expected",
                    "begin with 'nodes:' and 'resources:'");
                return null;
        }
    }

    private YamlNode? ReadNode(Parser parser, int depth, SourcePlace? key = null)
    {
        ParsingEvent next = parser.Current ?? throw new YamlException("The file ends too early.");
        SourcePlace place = PlaceOf(next);
        if (depth > DeepestNesting)
        {
            throw new YamlException(next.Start, next.End, "nested too deeply.");
        }

        if (next is NodeEvent { Anchor.IsEmpty: false })
        {
            errors.Add(place, "anchors are not supported", "write the value out");
        }

        switch (next)
        {
            case Scalar scalar:
                parser.MoveNext();
                return new YamlScalar(place, scalar.Value, scalar.Style != ScalarStyle.Plain);
            case SequenceStart:
                parser.MoveNext();
                return ReadList(parser, place, depth);
            case MappingStart:
                parser.MoveNext();
                return ReadMapping(parser, key ?? place, depth);
            case AnchorAlias:
                parser.MoveNext();
                errors.Add(place, "aliases are not supported", "write the value out");
                return null;
            default:
                throw new YamlException(next.Start, next.End, "something unexpected stands here.");
        }
    }

    private YamlList ReadList(Parser parser, SourcePlace place, int depth)
    {
        var list = new YamlList(place);
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            if (ReadNode(parser, depth + 1) is { } item)
            {
                list.Items.Add(item);
            }
        }

        return list;
    }

    private YamlMapping ReadMapping(Parser parser, SourcePlace place, int depth)
    {
        var mapping = new YamlMapping(place);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            YamlNode? key = ReadNode(parser, depth + 1);
            // A block mapping is at the line of its key, where a reader looks for what is missing in it.
            YamlNode? value = ReadNode(parser, depth + 1, key?.Place);
            if (key is not YamlScalar { IsEmpty: false } name)
            {
                if (key is not null)
                {
                    errors.Add(key.Place, $"{key.Kind} can't be a key", "a key is a plain word");
                }

                continue;
            }

            if (value is not null && mapping.Add(new YamlEntry(name.Value, name.Place, value)) is { } earlier)
            {
                errors.Add(name.Place, $"key '{name.Value}' stands here a second time",
                    $"keep one; the first is in line {earlier.Place.Line}");
            }
        }

        return mapping;
    }

    private SourcePlace PlaceOf(ParsingEvent parsed) => new(file, (int)parsed.Start.Line);

    private static string FirstSentence(string message)
    {
        // The library puts "(Line: …) - (Line: …): " before its messages; the place is already told.
        int from = message.LastIndexOf("): ", StringComparison.Ordinal);
        string text = (from < 0 ? message : message[(from + 3)..]).Trim().TrimEnd('.');
        return text.Length == 0 ? "unreadable" : char.ToLowerInvariant(text[0]) + text[1..];
    }
}
