using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <content>Receiving: one receive at a time, into the window or straight into the slot of a large
/// write.</content>
internal sealed partial class NbdSession
{
    private int _neededBytes;
    private bool _amongLargeWrites;
    private bool _receivesIntoSlot;
    private long _receivedNs;

    /// <summary>How a reader of the input ended.</summary>
    private enum Step
    {
        /// <summary>Something was consumed; go on.</summary>
        Taken,
        /// <summary>The window must come to hold <see cref="_neededBytes"/> first.</summary>
        NeedsInput,
        /// <summary>A receive is under way.</summary>
        Receives,
        /// <summary>
        /// A request, piece, slot or send must come back first; that runs the session again.
        /// </summary>
        Blocked,
    }

    private void ReadInput()
    {
        while (!_receive.IsPending && _phase < Phase.Finishing)
        {
            FinishAtBoundary();
            Step step = _phase switch
            {
                Phase.ClientFlags => ReadClientFlags(),
                Phase.Options => ReadOption(),
                Phase.Transmission => ReadRequest(),
                Phase.Finishing or Phase.Closing => Step.Blocked,
            };
            if (step == Step.NeedsInput && _phase < Phase.Finishing)
            {
                int wanted = _amongLargeWrites ? SessionLimits.ReceiveBytesAmongLargeWrites : int.MaxValue;
                BufferSlice room = _input.Room(_neededBytes, wanted);
                Receive(room, _neededBytes - _input.AvailableBytes);
            }

            if (step == Step.Blocked)
            {
                return;
            }
        }
    }

    private Step Need(int bytes)
    {
        _neededBytes = bytes;
        return Step.NeedsInput;
    }

    private void OnReceived(IoOperation receive)
    {
        bool wasRunning = _running;
        _running = true;
        _receivedNs = _loop.NowNs;
        if (_receivesIntoSlot)
        {
            OnReceivedIntoSlot(receive.Result);
        }
        else if (_phase < Phase.Finishing)
        {
            OnReceivedIntoWindow(receive.Result);
        }

        _running = wasRunning;
        Run();
    }

    private void OnReceivedIntoWindow(int result)
    {
        if (result < 0)
        {
            Close(NbdEventKind.Lost, ReceiveProblem(result));
            return;
        }

        _input.Received(result);
        if (_input.AvailableBytes >= _neededBytes)
        {
            return;
        }

        if (_input.AvailableBytes == 0 && _writing is null)
        {
            // The other end finished sending between two requests; it may still read replies.
            Finish("closed by the client");
            return;
        }

        Close(_phase == Phase.Transmission ? NbdEventKind.Lost : NbdEventKind.Violation,
            "closed by the client in the middle of a message");
    }

    private void Finish(string text)
    {
        _phase = Phase.Finishing;
        _finishText = text;
    }

    /// <summary>
    /// Between two requests one is not begun. A receive that is under way brings the next one, or a part of it, which
    /// is dropped.
    /// </summary>
    private void FinishAtBoundary()
    {
        bool isBoundary = _writing is null && _reading is null && _asking is null;
        if (_finishReason is { } reason && _phase == Phase.Transmission && isBoundary)
        {
            Finish(reason);
        }
    }
}
