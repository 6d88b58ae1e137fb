using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Link;

/// <summary>
/// A handshake of three flights, as that of TLS has, whose steps are done by another thread and end when a test says so. It
/// refuses to be used in a way that <see cref="ILinkHandshake"/> does not allow.
/// </summary>
internal sealed class SteppedHandshake(SteppedSecurity security, bool isConnector) : ILinkHandshake
{
    private const int FlightBytes = 3;

    private readonly List<byte> _heard = [];
    private byte[] _toSend = [];
    private byte[] _arrived = [];
    private Action? _done;
    private string? _problem;
    private SecuredLink? _secured;

    /// <summary>Steps that have begun.</summary>
    public int Steps { get; private set; }

    /// <summary>A step has begun and has not ended.</summary>
    public bool IsUnderWay => _done is not null;

    /// <summary>Its memory was given back.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>The connection was given up.</summary>
    public bool IsGivenUp { get; private set; }

    /// <summary>What the last step got: memory of the connection.</summary>
    public BufferSlice Received { get; private set; }

    public ReadOnlySpan<byte> ToSend => Idle(_toSend);

    public string? Problem => Idle(_problem);

    public SecuredLink? Secured => Idle(_secured);

    public void Step(BufferSlice received, Action done)
    {
        _ = Idle(0);
        Require(_secured is null && _problem is null, "a step after the end");
        Require(!IsGivenUp, "a step of what was given up");
        Steps++;
        Received = received;
        _arrived = received.Span.ToArray();
        _done = done;
        if (!security.Holds(this))
        {
            EndStep();
        }
    }

    public void GiveUp() => IsGivenUp = true;

    public void Dispose()
    {
        Require(!IsUnderWay, "disposed while a step is under way");
        IsDisposed = true;
    }

    /// <summary>The other thread does the step that is under way; its end is told on the loop's thread, later.</summary>
    public void EndStep()
    {
        Require(IsUnderWay, "no step is under way");
        Exception? failed = null;
        var other = new Thread(() =>
        {
            try
            {
                Work();
            }
            catch (Exception thrown)
            {
                failed = thrown;
            }

            security.Loop.Post(Told);
        });
        other.Start();
        other.Join();
        Require(failed is null, $"the step broke: {failed}");
    }

    private void Told()
    {
        Action done = _done!;
        _done = null;
        done();
    }

    // Also what was given up may be read here: such a step had begun before.
    private void Work()
    {
        Require(Received.Span.SequenceEqual(_arrived), "what arrived was changed while a step was under way");
        _heard.AddRange(_arrived);
        _toSend = [];
        if (isConnector && Steps == 1)
        {
            _toSend = "c-1"u8.ToArray();
        }
        else if (_heard.Count >= FlightBytes)
        {
            byte[] flight = [.. _heard.Take(FlightBytes)];
            _heard.RemoveRange(0, FlightBytes);
            Answer(System.Text.Encoding.ASCII.GetString(flight));
        }
    }

    private void Answer(string flight)
    {
        switch (flight)
        {
            case "l-2" when isConnector:
                _toSend = "c-3"u8.ToArray();
                End();
                break;
            case "c-1" when !isConnector:
                _toSend = "l-2"u8.ToArray();
                break;
            case "c-3" when !isConnector:
                End();
                break;
            default:
                _problem = "the other side does not know this handshake";
                _toSend = "no!"u8.ToArray();
                break;
        }
    }

    private void End() => _secured = new SecuredLink(security.Secret, null, null, _heard.ToArray());

    private T Idle<T>(T value)
    {
        Require(!IsUnderWay, "used while a step is under way");
        Require(!IsDisposed, "used after it was disposed");
        return value;
    }

    private static void Require(bool isRight, string wrong)
    {
        if (!isRight)
        {
            throw new InvalidOperationException($"a handshake was misused: {wrong}");
        }
    }
}
