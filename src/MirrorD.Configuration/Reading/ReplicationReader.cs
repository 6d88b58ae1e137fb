namespace MirrorD.Configuration.Reading;

/// <summary>Reads what a resource says about how it is mirrored.</summary>
internal static class ReplicationReader
{
    private const long LeastBufferBytes = 1 << 20;

    private const long MostBufferBytes = 1 << 30;

    /// <summary>The keys of a resource that are read here.</summary>
    public static readonly string[] Keys = ["mode", "async-buffer", "async-lag", "resync", "verify-rate", "verify-schedule", "snapshot-before-resync", "encryption"];

    /// <summary>What the section of a resource says.</summary>
    public static ReplicationConfiguration Read(Section section)
    {
        MirrorMode mode = section.Choice("mode", MirrorMode.Sync, "replication mode", "write 'sync', 'memory' or 'async'",
            ("sync", MirrorMode.Sync), ("memory", MirrorMode.Memory), ("async", MirrorMode.Async));
        foreach (string key in Keys.Where(key => key.StartsWith("async-", StringComparison.Ordinal) && mode != MirrorMode.Async && section.Has(key)))
        {
            section.Bad(key, "it has a meaning in mode async only", "write 'mode: async', or leave it out");
        }

        return new ReplicationConfiguration(
            mode, BufferBytes(section),
            (int)section.DurationMs("async-lag", ReplicationConfiguration.DefaultLagMs, 100, 60_000, "100ms to 1m"),
            section.Choice("resync", false, "way to resync", "write 'copy' or 'by-checksum'",
                ("copy", false), ("by-checksum", true)),
            VerifyRate(section), Schedule(section),
            section.Choice("snapshot-before-resync", true, "way to keep a copy", "write 'auto' or 'none'",
                ("auto", true), ("none", false)),
            section.Choice("encryption", true, "answer", "write 'on' or 'off'", ("on", true), ("off", false)));
    }

    private static VerifySchedule? Schedule(Section section)
    {
        const string Example = "Sun 02:00";
        if (section.Text("verify-schedule", Example) is not { } text || text == "none")
        {
            return null;
        }

        VerifySchedule? schedule = VerifySchedule.Parse(text);
        if (schedule is null)
        {
            section.Bad("verify-schedule", $"'{text}' is not a day with a time",
                $"write days and a time, e.g. {Example}, 'Mon,Thu 01:30' or 'daily 03:00', or none");
        }

        return schedule;
    }

    private static long VerifyRate(Section section)
    {
        const long LeastBytesPerSecond = 128 * 1024;
        if (section.Text("verify-rate", "100MiB/s") is not { } text)
        {
            return ReplicationConfiguration.DefaultVerifyBytesPerSecond;
        }

        if (text == "none")
        {
            return 0;
        }

        if (Quantities.Rate(text) is not { } rate)
        {
            section.Bad("verify-rate", $"'{text}' is not a rate", "write a size per second, e.g. 100MiB/s, or none");
            return 0;
        }

        if (rate < LeastBytesPerSecond)
        {
            section.Bad("verify-rate", $"{text} is out of range", "write at least 128KiB/s, or none for no limit");
            return 0;
        }

        return rate;
    }

    private static long BufferBytes(Section section)
    {
        if (section.Text("async-buffer", "16MiB") is not { } text)
        {
            return ReplicationConfiguration.DefaultBufferBytes;
        }

        if (Quantities.Size(text) is not { } bytes)
        {
            section.Bad("async-buffer", $"'{text}' is not a size", "write a number with its unit, e.g. 16MiB");
            return ReplicationConfiguration.DefaultBufferBytes;
        }

        if (bytes is < LeastBufferBytes or > MostBufferBytes)
        {
            section.Bad("async-buffer", $"{text} is out of range", "write 1MiB to 1GiB: it is held in memory");
            return ReplicationConfiguration.DefaultBufferBytes;
        }

        return bytes;
    }
}
