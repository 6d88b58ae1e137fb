namespace MirrorD.Control;

/// <summary>Exit codes of mirrorctl; docs/commands.md lists them.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>Refused or failed; the message says why.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong, or lacks a confirmation.</summary>
    public const int Usage = 2;

    /// <summary>No daemon answers.</summary>
    public const int Unreachable = 3;

    /// <summary>For "status --check": answered, but a resource is not fully mirrored.</summary>
    public const int NotMirrored = 4;

    /// <summary>For "devices --check": a block device is in use.</summary>
    public const int InUse = 5;
}
