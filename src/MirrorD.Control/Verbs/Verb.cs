namespace MirrorD.Control.Verbs;

/// <summary>One command of mirrorctl: its options and what it does.</summary>
internal abstract class Verb
{
    /// <summary>Carries it out.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public abstract Task<int> Run(CommandContext context, CancellationToken stop);
}
