using MirrorD.Demo;

if (!Environment.IsPrivilegedProcess)
{
    Console.Error.WriteLine("The demo makes network namespaces, loop devices and mounts: run it as root.");
    return 1;
}

var narrator = new Narrator();
try
{
    using (var lab = new MirrorD.Lab.Lab())
    {
        new Story(lab, narrator).Run();
    }

    narrator.Summary();
    return 0;
}
catch (Exception) when (MirrorD.Lab.Lab.IsInterrupted)
{
    Console.Error.WriteLine("\nInterrupted; everything that was made is removed.");
    return 130;
}
catch (Exception exception)
{
    narrator.Failed(exception.Message);
    return 1;
}
