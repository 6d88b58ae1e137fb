using System.Net;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>Reads "nbd-tcp" of a resource: its exports over TCP.</summary>
internal static class NbdTcpReader
{
    /// <summary>The key of a resource that is read here.</summary>
    public const string Key = "nbd-tcp";

    private const string Example = "{address: 192.0.2.10, allow: [backup]}";

    /// <summary>What the section of a resource says; null when it says nothing, or after a mistake.</summary>
    public static NbdTcpConfiguration? Read(Section resource, ConfigurationErrors errors)
    {
        if (resource.Mapping(Key, Example) is not { } mapping)
        {
            return null;
        }

        var section = new Section(mapping, resource.PathOf(Key), errors, "address", "port", "allow");
        IPAddress? address = Address(section);
        int port = section.Port("port", $"{NbdTcpConfiguration.DefaultPort}") ?? NbdTcpConfiguration.DefaultPort;
        IReadOnlySet<string>? allow = Allow(section, errors);
        return address is null || allow is null ? null : new NbdTcpConfiguration(address, port, allow);
    }

    private static IPAddress? Address(Section section)
    {
        const string AddressExample = "192.0.2.10";
        if (section.RequiredText("address", AddressExample) is not { } text)
        {
            return null;
        }

        IPAddress? address = Addresses.Parse(text);
        if (address is null or { IsIPv4MappedToIPv6: true })
        {
            address = null;
            section.Bad("address", $"'{text}' is not an IP address to listen on",
                $"write one without prefix length, e.g. {AddressExample}, or 0.0.0.0 or '::' for all of this host");
        }

        return address;
    }

    private static HashSet<string>? Allow(Section section, ConfigurationErrors errors)
    {
        const string AllowExample = "[backup, vm1]";
        var names = new HashSet<string>(StringComparer.Ordinal);
        IReadOnlyList<YamlNode> items = section.OneOrMore("allow");
        foreach (YamlNode item in items)
        {
            if (item is not YamlScalar { IsEmpty: false } scalar)
            {
                errors.Add(
                    item.Place, $"{section.PathOf("allow")}: {item.Kind} stands here where the name of a client is expected",
                    $"write e.g. 'allow: {AllowExample}'");
            }
            else if (!ClientCertificate.IsName(scalar.Value))
            {
                errors.Add(
                    item.Place, $"{section.PathOf("allow")}: '{scalar.Value}' can't be the name of a client",
                    ClientCertificate.NameRule);
            }
            else
            {
                names.Add(scalar.Value);
            }
        }

        if (items.Count == 0)
        {
            errors.Add(
                section.PlaceOf("allow"), $"{section.Path} does not say which clients may use the exports",
                $"add e.g. 'allow: {AllowExample}', names of certificates made by 'mirrorctl cluster issue-client'");
        }

        return names.Count > 0 && names.Count == items.Count ? names : null;
    }
}
