using MirrorD.Engine.Link;

namespace MirrorD.Engine.Nbd;

/// <content>The handshake of TLS, in bounded bytes.</content>
internal sealed partial class NbdStranger
{
    private readonly Action _stepped;
    private int _handshakeBytes;
    private bool _isStepping;
    private bool _hasMoreToSend;

    private void Step(int receivedBytes)
    {
        _handshakeBytes += receivedBytes;
        _isStepping = true;
        _handshake.Step(_memory.Receive.Slice(0, receivedBytes), _stepped);
    }

    private void OnStepped()
    {
        _isStepping = false;
        _hasMoreToSend = !_handshake.ToSend.IsEmpty;
        if (_phase == Phase.Securing)
        {
            GoOnSecuring();
        }

        ForgetWhenIdle();
    }

    private void GoOnSecuring()
    {
        if (_isStepping || _send.IsPending || _receive.IsPending)
        {
            return;
        }

        if (_handshake.Problem is { } problem)
        {
            _gate.Tell(NbdEventKind.Refused, _connection.Name, problem);
            _closesWhenSent = true;
        }

        if (_hasMoreToSend)
        {
            // Of a handshake that failed, too: it tells the client why.
            _hasMoreToSend = false;
            _handshake.ToSend.CopyTo(_memory.Send.Span);
            _loop.Send(_connection, _memory.Send.Slice(0, _handshake.ToSend.Length), _send);
        }
        else if (_closesWhenSent)
        {
            Close();
        }
        else if (_handshake.Secured is { } secured)
        {
            Admit(secured);
        }
        else if (_handshakeBytes >= SessionLimits.StrangerBytes)
        {
            Refuse(NbdEventKind.Violation, "the handshake does not end");
        }
        else
        {
            _loop.Receive(_connection, _memory.Receive.Slice(0, SessionLimits.StrangerBytes - _handshakeBytes), 1, _receive);
        }
    }

    private void Admit(SecuredLink secured)
    {
        if (secured.Records is not { } records)
        {
            Refuse(NbdEventKind.Refused, "the handshake gives no encryption");
            return;
        }

        _phase = Phase.Admitted;
        _loop.CancelTimer(_timer);
        var stream = new SealedStream(_loop, _connection, records, secured.Early);
        string client = secured.Name.Length > 0 ? $"{secured.Name} at {_connection.Name}" : _connection.Name;
        _gate.Admit(new NbdAdmission(_connection, stream, client, secured.KeyHash, _noZeroes));
        ForgetWhenIdle();
    }
}
