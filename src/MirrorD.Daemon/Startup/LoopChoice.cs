using MirrorD.Configuration;
using MirrorD.Io.Linux;

namespace MirrorD.Daemon.Startup;

/// <summary>By what this daemon serves disks and sockets, and how that is called.</summary>
internal static class LoopChoice
{
    /// <summary>Tries io_uring where the configuration says so.</summary>
    /// <exception cref="StartupException">The configuration wants io_uring, which is refused here.</exception>
    public static LoopFactory Of(NodeConfiguration node)
    {
        try
        {
            return node.Io switch
            {
                IoChoice.Auto => LoopFactory.BestHere(),
                IoChoice.Uring => LoopFactory.UringOrThrow(),
                IoChoice.Epoll => LoopFactory.Of(LoopKind.Epoll),
                _ => throw new InvalidOperationException($"There is no way of input and output {node.Io}."),
            };
        }
        catch (IOException refused)
        {
            throw new StartupException(
                $"nodes.{node.Name}.io is 'uring', but {refused.Message.TrimEnd('.')}",
                $"or write 'io: auto' for node {node.Name}: it is then served by epoll and threads");
        }
    }

    /// <summary>As status and logs call it.</summary>
    public static string NameOf(LoopKind kind) => kind == LoopKind.Uring ? "io_uring" : "epoll";
}
