using MirrorD.Core.Replication;
using MirrorD.Core.Verify;
using MirrorD.Engine.Control;

namespace MirrorD.Engine.Replication;

/// <summary>The commands of a verify.</summary>
public sealed partial class ReplicatedResource
{
    /// <summary>For a checker: told of each range that is held for a comparison, and again when it was compared.</summary>
    internal Action<VerifyRange, VerifyOutcome>? VerifyStepped { get; set; }

    void IReplicaEffects.VerifyStep(VerifyRange range, VerifyOutcome outcome) => VerifyStepped?.Invoke(range, outcome);

    /// <summary>Begins one, or ends it when there is no command to begin one.</summary>
    private void Verify(ResourceCommand.Verify? command, Action<CommandOutcome> answered)
    {
        void Answer(bool succeeded, string message, string? remedy) =>
            answered(new CommandOutcome(succeeded, message, remedy));
        if (_replica is null || _isAttaching)
        {
            answered(NotLoaded());
        }
        else if (command is null)
        {
            _replica.StopVerify(Answer);
        }
        else if (command.Scheduled && _replica.IsForPeerToVerify)
        {
            Answer(true, $"{_options.PeerName} compares", null);
        }
        else
        {
            _replica.StartVerify(command.Repair, Answer);
        }
    }
}
