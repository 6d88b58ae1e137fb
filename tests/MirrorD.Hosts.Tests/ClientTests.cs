using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>
/// The clients and the workload, against servers that are known to be good and known to lose data.
/// </summary>
public sealed class ClientTests
{
    private const int Blocks = 2000;

    [HostFact]
    public void The_workload_takes_no_offence_at_a_good_server()
    {
        using var lab = new Lab.Lab();
        string socket = Serve(lab, "good", "file", evictPercent: null, out _);
        var workload = new StampedWorkload(Blocks, seed: 1);
        workload.Start(socket);
        Wait.For("1000 writes", 20, () => workload.Acknowledged > 1000);
        workload.Stop();

        Assert.Null(workload.Broken);
        Assert.True(workload.Flushes > 0);
        Assert.Empty(workload.Verify(socket, powerWasCut: false));
        Assert.Contains("\"export-size\"", NbdTools.Info(socket, "--json").Require().Output);
        NbdTools.Fio(NbdTools.FioVerify(socket, clients: 4, bytesPerClient: 2 << 20)).Require();
    }

    [HostFact]
    public void The_workload_tells_lost_writes_from_lost_unflushed_writes()
    {
        using var lab = new Lab.Lab();
        string socket = Serve(lab, "lossy", "plugin", evictPercent: 0, out string medium);
        var workload = new StampedWorkload(Blocks, seed: 2);
        workload.Start(socket);
        Wait.For("1000 writes, with flushes", 20, () => workload.Acknowledged > 1000);
        workload.FlushNoMore();
        Wait.For("writes that are not flushed", 20, () => workload.HasMuchUnflushed);
        lab.Processes[^1].Kill();
        workload.WaitForEnd();
        Assert.NotNull(workload.Broken);

        // Flushed writes are there; among the others some are lost, and that must be seen as soon as it
        // isn't allowed.
        string again = ServeFile(lab, "again", medium);
        Assert.NotEmpty(workload.Verify(again, powerWasCut: false));

        var second = new StampedWorkload(Blocks, seed: 3);
        string empty = Serve(lab, "second", "plugin", evictPercent: 30, out string secondMedium);
        second.Start(empty);
        Wait.For("1000 writes", 20, () => second.Acknowledged > 1000);
        lab.Processes[^1].Kill();
        second.WaitForEnd();
        Assert.Empty(second.Verify(ServeFile(lab, "secondagain", secondMedium), powerWasCut: true));
    }

    [HostFact]
    public void The_workload_sees_a_flush_that_was_not_obeyed()
    {
        using var lab = new Lab.Lab();
        string medium = BackingFile.Create(Path.Combine(lab.Directory, "deaf.medium"), 64 << 20);
        string socket = Path.Combine(lab.Directory, "deaf");
        lab.Start(
            "deaf", "nbdkit", "--foreground", "--unix", socket, "--filter=fua",
            VolatileDiskPlugin.Path(lab), $"file={medium}", "fuamode=discard");
        Wait.For("the server to listen", 10, () => File.Exists(socket));
        var workload = new StampedWorkload(Blocks, seed: 4);
        workload.Start(socket);
        Wait.For("1000 writes", 20, () => workload.Acknowledged > 1000);
        lab.Processes[^1].Kill();
        workload.WaitForEnd();
        Assert.NotEmpty(workload.Verify(ServeFile(lab, "again", medium), powerWasCut: true));
    }

    [HostFact]
    public void Behind_a_patient_export_fio_survives_the_death_of_its_server()
    {
        using var lab = new Lab.Lab();
        string socket = Serve(lab, "mortal", "file", evictPercent: null, out string medium);
        LabProcess server = lab.Processes[^1];
        string patient = PatientExport.Start(lab, "fio", socket);
        var fio = new FioRun(lab, patient, clients: 4, bytesPerClient: 4 << 20);
        for (int round = 0; round < 2; round++)
        {
            Wait.For("fio to write", 20, () => fio.HasWrittenSince(medium), fio.Tail);
            server.Kill();
            fio.Pause();
            File.Delete(socket);
            lab.Start($"again-{round}", "nbdkit", "--foreground", "--unix", socket, "file", medium);
            server = lab.Processes[^1];
            Wait.For("the server to listen", 10, () => File.Exists(socket));
            fio.Resume();
        }

        Wait.For("fio to write", 20, () => fio.HasWrittenSince(medium), fio.Tail);
        fio.StopAndRequireClean();
    }

    private static string Serve(Lab.Lab lab, string name, string kind, int? evictPercent, out string medium)
    {
        medium = BackingFile.Create(Path.Combine(lab.Directory, $"{name}.medium"), 64 << 20);
        if (kind == "file")
        {
            return ServeFile(lab, name, medium);
        }

        string socket = Path.Combine(lab.Directory, name);
        lab.Start(
            name, "nbdkit", "--foreground", "--unix", socket, VolatileDiskPlugin.Path(lab), $"file={medium}",
            $"evict={evictPercent}");
        Wait.For("the server to listen", 10, () => File.Exists(socket));
        return socket;
    }

    private static string ServeFile(Lab.Lab lab, string name, string medium)
    {
        string socket = Path.Combine(lab.Directory, name);
        lab.Start(name, "nbdkit", "--foreground", "--unix", socket, "file", medium);
        Wait.For("the server to listen", 10, () => File.Exists(socket));
        return socket;
    }
}
