namespace MirrorD.Daemon;

/// <summary>Entry point.</summary>
internal static class Program
{
    private static int Main() => 0;
}
