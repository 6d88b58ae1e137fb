namespace MirrorD.Io.Tests;

/// <summary>
/// What every loop promises (the documentation of <see cref="IIoLoop"/>). One subclass per loop; the tests
/// are in the partial files by subject.
/// </summary>
public abstract partial class LoopContractTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly List<IoBuffer> _buffers = [];
    private readonly List<IDisk> _disks = [];
    private IIoLoop? _loop;
    private Func<bool>? _done;

    protected IIoLoop Loop => _loop ??= CreateLoop();

    protected abstract IIoLoop CreateLoop();

    /// <summary>A fresh disk that reads as zeroes, with logical blocks of at most 4096 bytes.</summary>
    protected abstract IDisk CreateDisk(long lengthBytes);

    /// <summary>
    /// An endpoint where nobody listens; TCP with port 0, so that the listener tells the port.
    /// </summary>
    protected abstract Endpoint CreateEndpoint(bool tcp);

    /// <summary>An endpoint to which nobody answers, neither with success nor with ECONNREFUSED.</summary>
    protected abstract Endpoint SilentEndpoint { get; }

    /// <summary>
    /// Ends of a UDP socket that nobody else uses, both on this host, with other ports each time.
    /// </summary>
    protected abstract UdpEndpoint CreateUdpEndpoint(bool isV6);

    public virtual void Dispose()
    {
        foreach (IDisk disk in _disks)
        {
            disk.Close();
        }

        foreach (IoBuffer buffer in _buffers)
        {
            buffer.Dispose();
        }

        (_loop as IDisposable)?.Dispose();
        GC.SuppressFinalize(this);
    }

    protected IDisk Disk(long lengthBytes = 1 << 20)
    {
        IDisk disk = CreateDisk(lengthBytes);
        _disks.Add(disk);
        return disk;
    }

    protected BufferSlice Buffer(int lengthBytes, byte fill = 0)
    {
        var buffer = new IoBuffer(lengthBytes);
        buffer.Span.Fill(fill);
        _buffers.Add(buffer);
        return buffer.Slice(0, lengthBytes);
    }

    protected BufferSlice Text(string text)
    {
        BufferSlice slice = Buffer(text.Length);
        System.Text.Encoding.ASCII.GetBytes(text, slice.Span);
        return slice;
    }

    protected static string Text(BufferSlice slice) => System.Text.Encoding.ASCII.GetString(slice.Span);

    /// <summary>
    /// A counted operation; afterwards the condition of <see cref="RunUntil"/> is looked at.
    /// </summary>
    protected Probe NewProbe(Action<Probe>? then = null) => new(probe =>
    {
        then?.Invoke(probe);
        StopWhenDone();
    });

    /// <summary>
    /// Runs the loop until the condition holds, looked at after each completion of a probe.
    /// </summary>
    protected void RunUntil(Func<bool> done, string waitedFor)
    {
        bool late = false;
        using var watchdog = new Timer(
            _ =>
            {
                Volatile.Write(ref late, true);
                Loop.Stop();
            },
            null, Patience, Timeout.InfiniteTimeSpan);
        _done = done;
        while (!done() && !Volatile.Read(ref late))
        {
            Loop.Run();
        }

        _done = null;
        Assert.True(done(), $"waited {Patience.TotalSeconds} s for {waitedFor}");
    }

    protected void RunUntilDone(params Probe[] probes) => RunUntil(
        () => probes.All(probe => probe.Completions > 0),
        $"completion of {string.Join(", ", probes.Select(probe => probe.Operation.Kind))}");

    protected void StopWhenDone()
    {
        if (_done is { } done && done())
        {
            Loop.Stop();
        }
    }

    /// <summary>Runs a submitted operation to its end and gives its result.</summary>
    protected int Do(Action<IoOperation> submit)
    {
        Probe probe = NewProbe();
        submit(probe.Operation);
        RunUntilDone(probe);
        return probe.Operation.Result;
    }

    protected (IConnection Client, IConnection Server) ConnectedPair(bool tcp = false)
    {
        IListener listener = Loop.Listen(CreateEndpoint(tcp));
        Probe accept = NewProbe();
        Probe connect = NewProbe();
        Loop.Accept(listener, accept.Operation);
        Loop.Connect(listener.Endpoint, 5_000_000_000, connect.Operation);
        RunUntilDone(accept, connect);
        Assert.Equal(0, accept.Operation.Result);
        Assert.Equal(0, connect.Operation.Result);
        listener.Close();
        return (connect.Operation.Connection!, accept.Operation.Connection!);
    }

    protected sealed class Probe
    {
        public Probe(Action<Probe> completed) => Operation = new IoOperation(_ =>
        {
            Completions++;
            completed(this);
        });

        public IoOperation Operation { get; }

        public int Completions { get; private set; }

        public int Result => Operation.Result;
    }
}
