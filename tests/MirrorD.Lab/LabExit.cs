using System.Runtime.InteropServices;

namespace MirrorD.Lab;

/// <summary>Disposes the labs that are alive when the process ends, whichever way it was asked to.</summary>
internal static class LabExit
{
    private static readonly List<Lab> Alive = [];
    private static readonly List<PosixSignalRegistration> Registrations = [];

    public static bool IsInterrupted { get; private set; }

    public static void Register(Lab lab)
    {
        lock (Alive)
        {
            if (Registrations.Count == 0)
            {
                AppDomain.CurrentDomain.ProcessExit += (_, _) => DisposeAll();
                foreach (PosixSignal signal in (PosixSignal[])
                    [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
                {
                    Registrations.Add(PosixSignalRegistration.Create(signal, End));
                }
            }

            Alive.Add(lab);
        }
    }

    public static void Forget(Lab lab)
    {
        lock (Alive)
        {
            Alive.Remove(lab);
        }
    }

    private static void End(PosixSignalContext context)
    {
        context.Cancel = true;
        IsInterrupted = true;
        DisposeAll();
        Environment.Exit(130);
    }

    private static void DisposeAll()
    {
        Lab[] labs;
        lock (Alive)
        {
            labs = [.. Alive];
        }

        foreach (Lab lab in labs)
        {
            lab.Dispose();
        }
    }
}
