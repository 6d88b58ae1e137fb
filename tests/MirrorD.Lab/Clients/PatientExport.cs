using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Clients;

/// <summary>
/// An export that waits for a restarted daemon instead of failing, as the kernel's nbd does: nbdkit
/// connects to the daemon's socket and sends what was not answered again over a new connection.
/// </summary>
public static class PatientExport
{
    /// <summary>Starts it; returns its socket.</summary>
    public static string Start(Lab lab, string name, string socket)
    {
        string patient = Path.Combine(lab.Directory, $"{name}.patient");
        LabProcess server = lab.Start(
            $"patient-{name}", "nbdkit", "--foreground", "--unix", patient, "--filter=retry", "nbd",
            $"socket={socket}", "retry=600", "retries=600", "retry-delay=1", "retry-exponential=no");
        Wait.For("the patient export to listen", 10, () => File.Exists(patient), () => server.Tail());
        return patient;
    }
}
