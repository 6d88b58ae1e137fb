namespace MirrorD.Configuration;

/// <summary>Whom to tell about takeovers, releases, anomalies and alarms.</summary>
/// <param name="Mail">Addresses of mail, each a bare address or the name of a local user.</param>
/// <param name="Commands">Lines for /bin/sh.</param>
/// <param name="Sendmail">Path of the program that takes a mail with "-t -oi" on its standard input.</param>
public sealed record NotifyConfiguration(
    IReadOnlyList<string> Mail, IReadOnlyList<string> Commands, string Sendmail)
{
    /// <summary>Where sendmail is unless the file names another one.</summary>
    public const string DefaultSendmail = "/usr/sbin/sendmail";

    /// <summary>Nobody is told.</summary>
    public static NotifyConfiguration None { get; } = new([], [], DefaultSendmail);
}
