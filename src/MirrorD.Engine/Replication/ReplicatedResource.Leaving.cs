using MirrorD.Core.Replication;
using MirrorD.Engine.Control;

namespace MirrorD.Engine.Replication;

/// <summary>A node that an operator disconnects and connects again, and a copy that is thrown away.</summary>
public sealed partial class ReplicatedResource
{
    private void ChangeConnection(ResourceCommand command, Action<CommandOutcome> answered)
    {
        if (_replica is null || _isAttaching)
        {
            answered(NotLoaded());
            return;
        }

        void Answer(bool succeeded, string message, string? remedy) =>
            answered(new CommandOutcome(succeeded, message, remedy));
        switch (command)
        {
            case ResourceCommand.Disconnect:
                _replica.Disconnect(Answer);
                break;
            case ResourceCommand.Connect:
                _link.HurryUp();
                _replica.Connect(Answer);
                break;
            default:
                _link.HurryUp();
                _replica.Invalidate(Answer);
                break;
        }
    }

    /// <summary>Who is disconnected lets nobody in and calls nobody; its peer does not call it.</summary>
    private void NoteDisconnects()
    {
        if (_replica is { } replica)
        {
            _link.IsHeldOff = replica.IsDisconnected;
            _link.IsPeerHeldOff = replica.IsPeerDisconnected;
        }
    }
}
