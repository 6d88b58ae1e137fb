namespace MirrorD.Daemon;

/// <summary>Exit codes of mirrord.</summary>
internal static class ExitCodes
{
    /// <summary>Stopped as asked.</summary>
    public const int Ok = 0;

    /// <summary>Could not start; the message says why.</summary>
    public const int CannotStart = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>A rule of the program was broken (EX_SOFTWARE of sysexits.h).</summary>
    public const int Broken = 70;
}
