using MirrorD.Core.Replication;
using MirrorD.Engine.Control;
using MirrorD.Engine.Takeover;
using MirrorD.Formats;

namespace MirrorD.Engine.Replication;

/// <summary>Commands, and the replica as the steps around its role need it.</summary>
public sealed partial class ReplicatedResource : IRoleEngine
{
    private bool _areLeftoversClosed;

    // What a stop waits for: the goodbye has left.
    private Action? _afterClose;

    Role IRoleEngine.Role => _replica?.Role ?? Role.Standby;

    /// <summary>
    /// From any thread: runs a command with the steps around the role; the answer comes on the loop's thread.
    /// </summary>
    public void Command(ResourceCommand command, Action<CommandOutcome> answered) => _loop.Post(() =>
    {
        void Answer(CommandOutcome outcome)
        {
            // Whoever hears the answer and looks at the status sees what it led to.
            PublishNow();
            answered(outcome);
        }

        switch (command)
        {
            case ResourceCommand.Detach:
                Detach(Answer);
                break;
            case ResourceCommand.PauseSync or ResourceCommand.ResumeSync:
                PauseSync(command is ResourceCommand.PauseSync, Answer);
                break;
            case ResourceCommand.Disconnect or ResourceCommand.Connect or ResourceCommand.Invalidate:
                ChangeConnection(command, Answer);
                break;
            case ResourceCommand.Attach:
                Attach(Answer);
                break;
            case ResourceCommand.Resize resize:
                Grow(resize, Answer);
                break;
            case ResourceCommand.Revert:
                Revert(Answer);
                break;
            case ResourceCommand.ReplacePeer:
                ReplacePeer(Answer);
                break;
            case ResourceCommand.DiscardCopy:
                DiscardCopy(Answer);
                break;
            case ResourceCommand.OpenCopy:
                OpenCopy(Answer);
                break;
            case ResourceCommand.CloseCopy:
                CloseCopy(Answer);
                break;
            case ResourceCommand.Verify or ResourceCommand.StopVerify:
                Verify(command as ResourceCommand.Verify, Answer);
                break;
            default:
                _roles.Command(command, Answer);
                break;
        }

        AfterEvent();
    });

    CommandOutcome? IRoleEngine.RefusalOf(ResourceCommand command)
    {
        if (_replica is not { } replica)
        {
            return NotLoaded();
        }

        (string Message, string? Remedy)? refusal = command switch
        {
            ResourceCommand.Promote promote => replica.RefusalOfPromotion(promote.Force, promote.Automatic),
            ResourceCommand.RequestRole => replica.RefusalOfRequest(),
            ResourceCommand.HandOver => replica.RefusalOfHandOver(),
            _ => null,
        };
        return refusal is { } why ? new CommandOutcome(false, why.Message, why.Remedy) : null;
    }

    void IRoleEngine.RefuseRole(string reason)
    {
        _replica?.RefuseRole(reason, (_, _, _) => { });
        AfterEvent();
    }

    void IRoleEngine.Run(ResourceCommand command, Action<CommandOutcome> answered)
    {
        void Answer(bool succeeded, string message, string? remedy) =>
            answered(new CommandOutcome(succeeded, message, remedy));
        switch (command)
        {
            case ResourceCommand.Stop:
                Stop(Answer);
                break;
            case not null when _replica is null:
                answered(NotLoaded());
                break;
            case ResourceCommand.Promote promote:
                _replica.Promote(promote.Force, Answer, promote.Automatic);
                break;
            case ResourceCommand.Demote:
                _replica.Demote(Answer);
                break;
            case ResourceCommand.HandOver:
                _replica.HandOver(Answer);
                break;
            case ResourceCommand.RequestRole:
                _replica.RequestRole(Answer);
                break;
        }

        AfterEvent();
    }

    /// <summary>
    /// A block device that an earlier daemon left waits for this one, as long as it may go on where that
    /// one ended. Kept for longer its users would hang, and later write and read what the peer has
    /// overwritten.
    /// </summary>
    private void CloseWhatIsOvertaken()
    {
        if (_replica?.Role == Role.Primary)
        {
            _areLeftoversClosed = false;
        }
        else if (_replica is { IsOvertaken: true } && !_areLeftoversClosed)
        {
            CloseLeftovers($"{_options.PeerName} has been Primary since");
        }
    }

    private void DiscardCopy(Action<CommandOutcome> answered)
    {
        if (_replica is null)
        {
            answered(NotLoaded());
            return;
        }

        _link.HurryUp();
        _replica.DiscardCopy((succeeded, message, remedy) => answered(new CommandOutcome(succeeded, message, remedy)));
    }

    private void ReplacePeer(Action<CommandOutcome> answered)
    {
        if (_replica is null || _isAttaching)
        {
            answered(NotLoaded());
            return;
        }

        _link.HurryUp();
        _replica.ReplacePeer((succeeded, message, remedy) => answered(new CommandOutcome(succeeded, message, remedy)));
    }

    private void CloseLeftovers(string reason)
    {
        _areLeftoversClosed = true;
        _roles.EndLeftovers(reason);
    }

    private CommandOutcome NotLoaded() =>
        new(false, _loadFailure ?? $"resource {Name} is still loading", "mirrorctl status");

    private void Stop(CommandAnswer answer)
    {
        _isStopped = true;
        if (_replica is null)
        {
            answer(true, NotLoaded().Message, null);
            return;
        }

        _link.Stop();
        _replica.Stop((succeeded, message, remedy) => StopWhenClosed(() => answer(succeeded, message, remedy)));
    }

    /// <summary>A stop is answered when the goodbye has left and the connection is closed.</summary>
    private void StopWhenClosed(Action then)
    {
        if (_connection is null)
        {
            then();
        }
        else
        {
            _afterClose = then;
            _connection.CloseAfterSending("planned stop");
        }
    }
}
