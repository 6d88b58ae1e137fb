namespace MirrorD.Hosts.Tests;

/// <summary>As <see cref="HostFactAttribute"/>, with rows of data.</summary>
public sealed class HostTheoryAttribute : TheoryAttribute
{
    public HostTheoryAttribute()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Skip = "needs root: it makes network namespaces, loop devices and mounts";
        }
    }
}
