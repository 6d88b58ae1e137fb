using System.Runtime.InteropServices;

namespace MirrorD.Control;

/// <summary>Entry point of mirrorctl.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        using var stop = new CancellationTokenSource();
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        return await MirrorctlCommandLine.Run(arguments, CommandContext.OfThisProcess(), stop.Token);
    }
}
