namespace MirrorD.Configuration;

/// <summary>Commands that run around taking over and releasing; each is a line for /bin/sh.</summary>
/// <param name="PreAcquire">Before the promotion.</param>
/// <param name="PostAcquire">Once the addresses are held.</param>
/// <param name="PreRelease">Before the addresses go.</param>
/// <param name="PostRelease">Once the role is Standby.</param>
/// <param name="TimeoutMs">Deadline of each command, in milliseconds.</param>
public sealed record HooksConfiguration(
    IReadOnlyList<string> PreAcquire,
    IReadOnlyList<string> PostAcquire,
    IReadOnlyList<string> PreRelease,
    IReadOnlyList<string> PostRelease,
    int TimeoutMs);
