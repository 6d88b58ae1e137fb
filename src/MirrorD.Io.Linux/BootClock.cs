using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux;

/// <summary>
/// The clock that nobody sets, and that goes on while the machine is suspended (CLOCK_BOOTTIME).
/// </summary>
public static class BootClock
{
    /// <summary>Milliseconds since the machine started.</summary>
    public static long NowMs => Clock.BootTimeNs / 1_000_000;
}
