using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>Reads "notify".</summary>
internal sealed class NotifyReader(ConfigurationErrors errors)
{
    private const int LongestAddress = 254;

    public NotifyConfiguration Read(Section root)
    {
        if (root.Mapping("notify", "{mail: admin@example.net}") is not { } mapping)
        {
            return NotifyConfiguration.None;
        }

        var section = new Section(mapping, "notify", errors, "mail", "command", "sendmail");
        return new NotifyConfiguration(
            Mail(section), section.Commands("command", "/usr/local/bin/page-operator"),
            section.AbsolutePath("sendmail", NotifyConfiguration.DefaultSendmail)
                ?? NotifyConfiguration.DefaultSendmail);
    }

    private List<string> Mail(Section section)
    {
        var addresses = new List<string>();
        foreach (YamlNode item in section.OneOrMore("mail"))
        {
            if (item is not YamlScalar { IsEmpty: false } scalar)
            {
                errors.Add(
                    item.Place,
                    $"{section.PathOf("mail")}: {item.Kind} stands here where a mail address is expected",
                    "write e.g. 'mail: admin@example.net'");
            }
            else if (!IsAddress(scalar.Value))
            {
                errors.Add(
                    item.Place, $"{section.PathOf("mail")}: '{scalar.Value}' is not a bare mail address",
                    "write one such as admin@example.net, or the name of a local user");
            }
            else
            {
                addresses.Add(scalar.Value);
            }
        }

        return addresses;
    }

    // Sendmail reads the receivers out of a header, where spaces, commas and brackets have a meaning.
    private static bool IsAddress(string text) =>
        text.Length is > 0 and <= LongestAddress && text[0] is not ('-' or '@') && text[^1] != '@'
        && text.Count(c => c == '@') <= 1
        && text.All(c => char.IsAsciiLetterOrDigit(c) || ".@!#$%&'*+-/=?^_`{|}~".Contains(c));
}
