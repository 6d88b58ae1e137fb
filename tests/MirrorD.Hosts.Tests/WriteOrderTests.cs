using MirrorD.Lab.Clients;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>Several volumes of a resource stay consistent with one another.</summary>
public sealed class WriteOrderTests : PairTest
{
    private const int Looks = 30;
    private readonly byte[] _block = new byte[Stamp.BlockBytes];

    [HostFact]
    public void The_standby_never_has_a_write_without_those_acknowledged_before_on_the_other_volume()
    {
        Pair pair = StartPair(new PairOptions { Volumes = ["log", "data"], DiskBytes = 64 << 20 });
        bool stopping = false;
        Exception? failed = null;
        var writer = new Thread(() =>
        {
            try
            {
                WriteAlternately(pair, () => Volatile.Read(ref stopping));
            }
            catch (IOException exception)
            {
                failed = exception;
            }
        });
        writer.Start();

        var complaints = new List<string>();
        long last = 0;
        for (int look = 0; look < Looks; look++)
        {
            long seen = last;
            MirrorD.Lab.Wait.For(
                "the standby to have more writes", 20, () => Sequence(pair.B.Disk("data")) > seen + 20);
            pair.B.Daemon.StandStill();
            long logged = Sequence(pair.B.Disk("log"));
            long data = Sequence(pair.B.Disk("data"));
            pair.B.Daemon.Send(Signals.Continue);

            // The log's write n is acknowledged before the data's write n is sent, and that before the
            // log's n + 1.
            if (logged < data || logged > data + 1)
            {
                complaints.Add($"look {look}: log has {logged}, data has {data}");
            }

            last = data;
        }

        Volatile.Write(ref stopping, true);
        MirrorD.Lab.Wait.For("the writer to end", 30, () => !writer.IsAlive);
        Assert.Null(failed);
        Assert.Empty(complaints);
        WaitUntilIdentical(pair, "log");
        WaitUntilIdentical(pair, "data");
    }

    private void WriteAlternately(Pair pair, Func<bool> stopping)
    {
        using NbdConnection log = NbdConnection.Connect(pair.A.Export("log"));
        using NbdConnection data = NbdConnection.Connect(pair.A.Export("data"));
        for (long sequence = 1; !stopping(); sequence++)
        {
            Stamp.Fill(_block, 0, sequence);
            log.Write(0, _block);
            data.Write(0, _block);
        }
    }

    private static long Sequence(string disk)
    {
        byte[] block = new byte[Stamp.BlockBytes];
        DiskReader.Read(disk, block);
        return Stamp.Read(block, 0, 0) ?? throw new InvalidDataException("block 0 holds foreign data");
    }
}
