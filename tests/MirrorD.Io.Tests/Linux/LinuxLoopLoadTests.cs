using MirrorD.Io.Linux;

namespace MirrorD.Io.Tests.Linux;

/// <summary>Not beside other tests: they count what the whole process has open.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class AloneCollection;

public abstract class LinuxLoopLoadTests(LoopKind kind) : IDisposable
{
    private const int QueueDepth = 16;
    private const int Operations = 100_000;
    private const int Windows = 10;

    private readonly TemporaryDirectory _directory = new();
    private readonly LoopDriver _driver = new(kind);

    private LinuxLoop Loop => _driver.Loop;

    public void Dispose()
    {
        _driver.Dispose();
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_hundred_thousand_disk_operations_allocate_nothing(bool isWrite)
    {
        string path = _directory.File("disk");
        LinuxDisk.CreateFile(path, 4 << 20);
        LinuxDisk disk = LinuxDisk.Open(path, isWritable: true, isExclusive: true);
        BufferSlice[] buffers = [.. Enumerable.Range(0, QueueDepth).Select(_ => _driver.Buffer(4096))];

        AssertNothingAllocated(QueueDepth, (operation, slot, number) =>
        {
            long offset = number % 1024 * 4096;
            if (isWrite)
            {
                Loop.Write(disk, offset, buffers[slot], false, operation);
            }
            else
            {
                Loop.Read(disk, offset, buffers[slot], operation);
            }
        });
        disk.Close();
    }

    [Fact]
    public void A_hundred_thousand_sends_and_receives_allocate_nothing()
    {
        IListener listener = Loop.Listen(new UnixEndpoint(_directory.File("socket")));
        (IConnection client, IConnection server) = _driver.Connect(listener);
        BufferSlice[] buffers = [_driver.Buffer(4096), _driver.Buffer(4096)];
        AssertNothingAllocated(2, (operation, slot, _) =>
        {
            if (slot == 0)
            {
                Loop.Send(client, buffers[0], operation);
            }
            else
            {
                Loop.Receive(server, buffers[1], 4096, operation);
            }
        }, () =>
        {
            client.Close();
            server.Close();
            listener.Close();
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_hundred_thousand_datagrams_allocate_nothing(bool isV6)
    {
        UdpEndpoint endpoint = LinuxLoopContractTests.FreeUdpEndpoint(isV6);
        IDatagramSocket one = Loop.OpenDatagram(endpoint);
        IDatagramSocket other = Loop.OpenDatagram(LoopContractTests.Mirrored(endpoint));
        BufferSlice[] buffers = [_driver.Buffer(200), _driver.Buffer(200)];
        int received = 0;
        AssertNothingAllocated(2, (operation, slot, _) =>
        {
            if (slot == 0)
            {
                Loop.Send(one, buffers[0], operation);
            }
            else
            {
                received += operation.Result == 200 ? 1 : 0;
                Loop.Receive(other, buffers[1], operation);
            }
        }, () =>
        {
            one.Close();
            other.Close();
        });
        Assert.True(received > 1000, $"only {received} datagrams arrived");
    }

    [Fact]
    public void Ten_thousand_datagram_sockets_leave_no_descriptor_open()
    {
        UdpEndpoint endpoint = LinuxLoopContractTests.FreeUdpEndpoint();
        IoOperation receive = _driver.Operation();
        int before = OpenDescriptors();
        for (int i = 0; i < 10_000; i++)
        {
            IDatagramSocket socket = Loop.OpenDatagram(endpoint);
            Loop.Receive(socket, _pending, receive);
            socket.Close();
            _driver.RunUntil(() => !receive.IsPending, "the cancelled receive of a datagram");
        }

        Assert.InRange(OpenDescriptors(), 0, before + 2);
    }

    [Fact]
    public void A_hundred_thousand_timers_allocate_nothing() => AssertNothingAllocated(
        QueueDepth,
        (operation, _, number) => Loop.StartTimer(Loop.NowNs + (number % 7 * 1000), operation));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ten_thousand_connections_leave_no_descriptor_open(bool tcp)
    {
        IListener listener = Loop.Listen(tcp
            ? new TcpEndpoint(System.Net.IPAddress.Loopback, 0)
            : new UnixEndpoint(_directory.File("socket")));
        Cycle(listener); // Whatever is opened once is open after this.
        int before = OpenDescriptors();
        for (int i = 0; i < 10_000; i++)
        {
            Cycle(listener);
        }

        Assert.InRange(OpenDescriptors(), 0, before + 2);
        listener.Close();
    }

    [Fact]
    public void Posts_of_many_threads_all_arrive_in_the_order_of_each()
    {
        const int threads = 4;
        const int postsPerThread = 50_000;
        int[] last = new int[threads];
        int arrived = 0;
        bool isOrdered = true;
        Thread[] posters = [.. Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            for (int i = 1; i <= postsPerThread; i++)
            {
                int number = i;
                Loop.Post(() =>
                {
                    isOrdered &= last[thread] == number - 1;
                    last[thread] = number;
                    if (++arrived == threads * postsPerThread)
                    {
                        Loop.Stop();
                    }
                });
                if (i % 1000 == 0)
                {
                    Thread.Yield(); // Lets the loop fall asleep now and then.
                }
            }
        }))];
        Array.ForEach(posters, poster => poster.Start());
        _driver.RunUntil(() => arrived == threads * postsPerThread, "200,000 posts");
        Array.ForEach(posters, poster => poster.Join());
        Assert.True(isOrdered, "posts of one thread ran out of order");
    }

    private void Cycle(IListener listener)
    {
        (IConnection client, IConnection server) = _driver.Connect(listener);
        IoOperation receive = _driver.Operation();
        Loop.Receive(server, _pending, 1, receive);
        client.Close();
        server.Close();
        _driver.RunUntil(() => !receive.IsPending, "the cancelled receive");
    }

    private BufferSlice _pending => _shared ??= _driver.Buffer(16);

    private BufferSlice? _shared;

    private static int OpenDescriptors() => Directory.GetFiles("/proc/self/fd").Length;

    /// <summary>
    /// Keeps the operations going until all are done; the second half must not allocate. By the loop's thread nothing at all.
    /// Of other threads, workers among them, it is the least that any tenth of it saw: the runner of the tests sends results off
    /// whenever it likes, which takes 600 KB at times.
    /// </summary>
    private void AssertNothingAllocated(
        int depth, Action<IoOperation, int, int> submit, Action? finish = null)
    {
        int submitted = 0;
        int completed = 0;
        int failed = 0;
        bool isOver = false;
        var marks = new List<(long Here, long All)>(Windows + 1);
        IoOperation[] operations = new IoOperation[depth];
        for (int slot = 0; slot < depth; slot++)
        {
            int mine = slot;
            operations[slot] = new IoOperation(operation =>
            {
                failed += operation.Result < 0 && !isOver ? 1 : 0;
                completed++;
                if (isOver)
                {
                    Loop.Stop();
                    return;
                }

                if (completed >= Operations && completed % (Operations / Windows) == 0 && marks.Count <= Windows)
                {
                    marks.Add(Allocated());
                    if (marks.Count > Windows)
                    {
                        Loop.Stop();
                    }
                }

                submit(operation, mine, submitted++);
            });
        }

        for (int slot = 0; slot < depth; slot++)
        {
            submit(operations[slot], slot, submitted++);
        }

        _driver.RunUntil(() => completed >= 2 * Operations, $"{2 * Operations} operations");
        isOver = true;
        finish?.Invoke();
        _driver.RunUntil(() => !operations.Any(operation => operation.IsPending), "the last operations");
        Assert.Equal(0, failed);
        Assert.Equal(0, marks[^1].Here - marks[0].Here);

        // An object of each operation would be 24 bytes at least.
        long least = marks.Zip(marks.Skip(1), (before, after) => after.All - before.All).Min();
        Assert.InRange(least, 0, Operations / Windows);
    }

    private static (long Here, long All) Allocated() =>
        (GC.GetAllocatedBytesForCurrentThread(), GC.GetTotalAllocatedBytes(precise: true));
}

[Collection("alone")]
public sealed class UringLoopLoadTests() : LinuxLoopLoadTests(LoopKind.Uring);

[Collection("alone")]
public sealed class EpollLoopLoadTests() : LinuxLoopLoadTests(LoopKind.Epoll);
