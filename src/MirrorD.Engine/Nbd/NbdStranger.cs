using System.Net;
using System.Net.Sockets;
using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <summary>
/// A client that has not shown who it is. Nothing is told to it but that TLS comes first.
/// <code>
/// ClientFlags ──► Options ──► Securing ──► admitted (somebody else has the connection)
///      └─────────────┴────────────┴──────► Ending ──► forgotten
/// </code>
/// Invariants: at most one receive and one send; nothing that arrived before TLS is looked at after it; forgotten only
/// without operations, and when no step of the handshake is under way.
/// </summary>
internal sealed partial class NbdStranger
{
    private readonly NbdGate _gate;
    private readonly IIoLoop _loop;
    private readonly IConnection _connection;
    private readonly ILinkHandshake _handshake;
    private readonly NbdGateMemory _memory;
    private readonly ReceiveWindow _input;
    private readonly IoOperation _receive;
    private readonly IoOperation _send;
    private readonly IoOperation _timer;
    private Phase _phase = Phase.ClientFlags;
    private bool _isForgotten;

    public NbdStranger(
        NbdGate gate, IIoLoop loop, IConnection connection, ILinkHandshake handshake, NbdGateMemory memory)
    {
        _gate = gate;
        _loop = loop;
        _connection = connection;
        _handshake = handshake;
        _memory = memory;
        _input = new ReceiveWindow(memory.Receive);
        _receive = new IoOperation(OnReceived);
        _send = new IoOperation(OnSent);
        _timer = new IoOperation(OnTimer);
        _stepped = OnStepped;
        Network = NetworkOf(connection.RemoteAddress);
    }

    private enum Phase
    {
        ClientFlags,
        Options,
        Securing,
        Ending,
        Admitted,
    }

    /// <summary>Where it comes from: an address, of v6 without the half that its host may choose.</summary>
    public IPAddress Network { get; }

    /// <summary>Its place is free.</summary>
    public bool IsEnding => _phase >= Phase.Ending;

    /// <summary>Greets it.</summary>
    /// <param name="deadlineNs">Until then it has to be known.</param>
    public void Start(long deadlineNs)
    {
        _loop.StartTimer(deadlineNs, _timer);
        Greet();
    }

    /// <summary>Turns it away.</summary>
    public void Refuse(NbdEventKind kind, string cause)
    {
        if (!IsEnding)
        {
            _gate.Tell(kind, _connection.Name, cause);
            Close();
        }
    }

    /// <summary>Ends it at once.</summary>
    public void Close()
    {
        if (!IsEnding)
        {
            _phase = Phase.Ending;
            _handshake.GiveUp();
            _loop.CancelTimer(_timer);
            _connection.Close();
            ForgetWhenIdle();
        }
    }

    private static IPAddress NetworkOf(IPAddress? address)
    {
        if (address is not { AddressFamily: AddressFamily.InterNetworkV6 })
        {
            return address ?? IPAddress.None;
        }

        byte[] bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    private void OnTimer(IoOperation timer)
    {
        if (timer.Result == 0)
        {
            Refuse(NbdEventKind.Refused, "it has not shown who it is within the time limit");
        }

        ForgetWhenIdle();
    }

    private void OnReceived(IoOperation receive)
    {
        if (_phase == Phase.Ending)
        {
            ForgetWhenIdle();
        }
        else if (receive.Result <= 0)
        {
            // Whoever only looks whether somebody listens is nobody to be told of.
            Close();
        }
        else if (_phase == Phase.Securing)
        {
            Step(receive.Result);
        }
        else
        {
            _input.Received(receive.Result);
            ReadPlain();
        }
    }

    private void OnSent(IoOperation send)
    {
        if (_phase == Phase.Ending)
        {
            ForgetWhenIdle();
        }
        else if (send.Result < 0 || _closesWhenSent)
        {
            Close();
        }
        else if (_phase == Phase.Securing)
        {
            GoOnSecuring();
        }
        else
        {
            ReadPlain();
        }
    }

    private void ForgetWhenIdle()
    {
        if (IsEnding && !_isForgotten && !_receive.IsPending && !_send.IsPending && !_timer.IsPending && !_isStepping)
        {
            _isForgotten = true;
            if (_phase == Phase.Ending)
            {
                _handshake.Dispose();
            }

            _gate.Forget(this, _memory);
        }
    }
}
