namespace MirrorD.Hosts.Tests;

/// <summary>A test that makes hosts; without root it is skipped and says so.</summary>
public sealed class HostFactAttribute : FactAttribute
{
    public HostFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Skip = "needs root: it makes network namespaces, loop devices and mounts";
        }
    }
}
