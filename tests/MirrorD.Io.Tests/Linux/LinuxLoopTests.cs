using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using MirrorD.Io.Linux;

namespace MirrorD.Io.Tests.Linux;

public abstract class LinuxLoopTests(LoopKind kind) : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void A_disk_is_not_closed_under_its_operations()
    {
        using var driver = new LoopDriver(kind);
        LinuxDisk disk = NewDisk(1 << 20);
        IoOperation read = driver.Operation();
        driver.Loop.Read(disk, 0, driver.Buffer(4096), read);
        Assert.Throws<InvalidOperationException>(disk.Close);
        driver.RunUntil(() => !read.IsPending, "the read");
        disk.Close();
    }

    [Fact]
    public void The_memory_of_what_is_pending_lives_although_its_buffer_goes_on_with_other_memory()
    {
        using var driver = new LoopDriver(kind);
        LinuxDisk disk = NewDisk(1 << 20);
        IoOperation read = driver.Operation();
        WeakReference former = ReadIntoMemoryThatIsReplaced(driver, disk, read);
        Collect();
        Assert.True(former.IsAlive, "the kernel still reads into it");
        driver.RunUntil(() => !read.IsPending, "the read");
        Collect();
        Assert.False(former.IsAlive, "nobody reads into it any more");
        disk.Close();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference ReadIntoMemoryThatIsReplaced(LoopDriver driver, LinuxDisk disk, IoOperation read)
    {
        var buffer = new IoBuffer(4096);
        driver.Loop.Read(disk, 0, buffer.Slice(0, 4096), read);
        var former = new WeakReference(buffer.Memory);
        buffer.ReplaceMemory();
        return former;
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    [Fact]
    public void A_loop_runs_on_one_thread_only()
    {
        using var driver = new LoopDriver(kind);
        driver.Do(operation => driver.Loop.StartTimer(0, operation));
        Exception? refusal = null;
        var other = new Thread(() => refusal = Record.Exception(driver.Loop.Run));
        other.Start();
        other.Join();
        Assert.IsType<InvalidOperationException>(refusal);
    }

    [Fact]
    public void What_one_thread_submits_before_Run_another_may_run()
    {
        using LinuxLoop loop = LoopFactory.Of(kind).Create();
        using IoBuffer buffer = new(4096);
        LinuxDisk disk = NewDisk(1 << 20);
        var read = new IoOperation(_ => loop.Stop());
        loop.Read(disk, 0, buffer.Slice(0, 4096), read);
        var runner = new Thread(loop.Run);
        runner.Start();
        Assert.True(runner.Join(TimeSpan.FromSeconds(20)), "waited 20 s for a read submitted before Run");
        Assert.Equal(4096, read.Result);
        disk.Close();
    }

    [Fact]
    public void An_exception_of_a_callback_leaves_Run_and_loses_nothing()
    {
        using var driver = new LoopDriver(kind);
        List<int> ran = [];
        driver.Loop.Post(() => throw new InvalidDataException("on purpose"));
        driver.Loop.Post(() => ran.Add(1));
        var timer = new IoOperation(_ => throw new InvalidDataException("on purpose"));
        driver.Loop.StartTimer(0, timer);

        Assert.Throws<InvalidDataException>(driver.Loop.Run);
        Assert.Throws<InvalidDataException>(driver.Loop.Run);
        driver.Loop.Post(driver.Loop.Stop);
        driver.RunUntil(() => ran.Count > 0, "the post behind the one that threw");
        Assert.Equal([1], ran);
    }

    [Fact]
    public void A_second_receive_or_send_on_one_connection_is_refused()
    {
        using var driver = new LoopDriver(kind);
        IListener listener = driver.Loop.Listen(new UnixEndpoint(_directory.File("socket")));
        (IConnection client, IConnection server) = driver.Connect(listener);
        driver.Loop.Receive(client, driver.Buffer(16), 1, driver.Operation());
        IoOperation second = driver.Operation();
        Assert.Throws<InvalidOperationException>(
            () => driver.Loop.Receive(client, driver.Buffer(16), 1, second));
        Assert.False(second.IsPending);
        client.Close();
        server.Close();
        listener.Close();
    }

    [Fact]
    public void A_closed_connection_never_takes_what_is_meant_for_its_successor()
    {
        using var driver = new LoopDriver(kind);
        IListener listener = driver.Loop.Listen(new UnixEndpoint(_directory.File("socket")));
        for (int round = 0; round < 200; round++)
        {
            (IConnection oldClient, IConnection oldServer) = driver.Connect(listener);
            BufferSlice oldInto = driver.Buffer(16);
            IoOperation oldReceive = driver.Operation();
            driver.Loop.Receive(oldServer, oldInto, 16, oldReceive);
            driver.Do(operation => driver.Loop.StartTimer(0, operation)); // The kernel has it now.
            oldServer.Close();
            oldClient.Close();

            (IConnection client, IConnection server) = driver.Connect(listener);
            BufferSlice sent = driver.Buffer(16);
            sent.Span.Fill((byte)round);
            BufferSlice into = driver.Buffer(16);
            IoOperation send = driver.Operation();
            driver.Loop.Send(client, sent, send);
            Assert.Equal(16, driver.Do(operation => driver.Loop.Receive(server, into, 16, operation)));
            Assert.True(sent.Span.SequenceEqual(into.Span));
            driver.RunUntil(() => !send.IsPending && !oldReceive.IsPending, "send and cancelled receive");
            Assert.Equal(-Errno.ECANCELED, oldReceive.Result);
            client.Close();
            server.Close();
        }

        listener.Close();
    }

    [Fact]
    public void A_loop_can_be_disposed_with_operations_pending()
    {
        var driver = new LoopDriver(kind);
        IListener listener = driver.Loop.Listen(new TcpEndpoint(IPAddress.Loopback, 0));
        (IConnection client, IConnection server) = driver.Connect(listener);
        IoOperation[] pending = [driver.Operation(), driver.Operation(), driver.Operation()];
        driver.Loop.Receive(client, driver.Buffer(16), 16, pending[0]);
        driver.Loop.Send(server, driver.Buffer(64 << 20), pending[1]);
        driver.Loop.Accept(listener, pending[2]);
        driver.Do(operation => driver.Loop.StartTimer(0, operation));

        long startNs = driver.Loop.NowNs;
        driver.Dispose();
        Assert.InRange(driver.Loop.NowNs - startNs, 0, 4_000_000_000);

        // Never completed towards its user.
        Assert.All(pending, operation => Assert.True(operation.IsPending));
        listener.Close();
        client.Close();
        server.Close();
    }

    [Fact]
    public void A_disk_whose_loop_ended_with_operations_pending_can_be_closed()
    {
        var driver = new LoopDriver(kind);
        LinuxDisk disk = NewDisk(4 << 20);
        driver.Do(operation => driver.Loop.Flush(disk, operation));
        IoOperation[] pending = [.. Enumerable.Range(0, 100).Select(_ => driver.Operation())];
        for (int i = 0; i < pending.Length; i++)
        {
            driver.Loop.Write(disk, i * 4096, driver.Buffer(4096), true, pending[i]);
        }

        driver.Dispose();
        disk.Close();
        Assert.All(pending, operation => Assert.True(operation.IsPending)); // Never completed towards its user.
    }

    [Fact]
    public void A_connect_waits_while_the_queue_of_a_unix_listener_is_full()
    {
        using var driver = new LoopDriver(kind);
        string path = _directory.File("full");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(0);
        IoOperation first = driver.Operation();
        IoOperation second = driver.Operation();
        driver.Loop.Connect(new UnixEndpoint(path), 60_000_000_000, first);
        driver.RunUntil(() => !first.IsPending, "the connect that fills the queue");
        driver.Loop.Connect(new UnixEndpoint(path), 60_000_000_000, second);
        driver.Do(operation => driver.Loop.StartTimer(driver.Loop.NowNs + 30_000_000, operation));
        Assert.True(second.IsPending, $"it ended with {second.Result}");

        Assert.Equal(-Errno.ETIMEDOUT, driver.Do(
            operation => driver.Loop.Connect(new UnixEndpoint(path), 30_000_000, operation)));
        using Socket taken = listener.Accept();
        driver.RunUntil(() => !second.IsPending, "the connect for which there is room now");
        Assert.Equal((0, 0), (first.Result, second.Result));
        first.Connection!.Close();
        second.Connection!.Close();
    }

    private protected LinuxDisk NewDisk(long lengthBytes)
    {
        string path = _directory.File("disk");
        LinuxDisk.CreateFile(path, lengthBytes);
        return LinuxDisk.Open(path, isWritable: true, isExclusive: true);
    }
}

public sealed class EpollLoopTests() : LinuxLoopTests(LoopKind.Epoll);
