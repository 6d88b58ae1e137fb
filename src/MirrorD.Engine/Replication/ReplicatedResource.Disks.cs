using MirrorD.Engine.Control;
using MirrorD.Engine.Disks;
using MirrorD.Engine.Metadata;
using MirrorD.Formats.Metadata;

namespace MirrorD.Engine.Replication;

/// <summary>
/// The backing disks in use and out of use. To attach them is to begin anew, as a start of the daemon does: what is
/// stored is read, and the handshake decides what has to be copied.
/// </summary>
public sealed partial class ReplicatedResource
{
    private readonly DeadlineLoop? _deadlines;
    private bool _isAttaching;

    private void Detach(Action<CommandOutcome> answered)
    {
        if (_replica is null || _isAttaching)
        {
            answered(NotLoaded());
            return;
        }

        _replica.Detach((succeeded, message, remedy) => answered(new CommandOutcome(succeeded, message, remedy)));
    }

    private void PauseSync(bool pauses, Action<CommandOutcome> answered)
    {
        if (_replica is null || _isAttaching)
        {
            answered(NotLoaded());
            return;
        }

        _replica.PauseSync(
            pauses, (succeeded, message, remedy) => answered(new CommandOutcome(succeeded, message, remedy)));
    }

    private void Attach(Action<CommandOutcome> answered)
    {
        if (WhyNotAttach() is { } refusal)
        {
            answered(refusal);
            return;
        }

        // A disk that could not even take that it failed may have lost what it had said to have.
        bool isDistrusted = !_replica!.IsFailureStored;
        _isAttaching = true;
        Reload(isDistrusted ? VolumeAgreement.Distrust : null, problem =>
        {
            _isAttaching = false;
            if (problem is null && !_isStopped)
            {
                _link.Start();
            }

            answered(problem is null
                ? new CommandOutcome(true, $"the disks are in use again; {_options.PeerName} brings them up to date")
                : new CommandOutcome(false, problem, "look at the disk, or stop mirrord here and create it anew"));
        });
    }

    /// <summary>Begins anew with what is stored, or with a change of it that is stored first.</summary>
    private void Reload(Action<Superblock[], int[]>? change, Action<string?> loaded)
    {
        for (int i = 0; i < _stores.Length; i++)
        {
            VolumeOptions volume = _stores[i].Reopened();
            _stores[i].Dispose();
            _stores[i] = new VolumeMetadataStore(_loop, volume);
        }

        Load(change, loaded);
    }

    private CommandOutcome? WhyNotAttach()
    {
        if (_replica is null || _isAttaching || _isStopped)
        {
            return NotLoaded();
        }

        if (_replica.RefusalOfAttach() is { } refusal)
        {
            return new CommandOutcome(false, refusal.Message, refusal.Remedy);
        }

        return RefusalWhileRequestsLast();
    }

    private CommandOutcome? RefusalWhileRequestsLast() =>
        _deadlines is { GivenUp: > 0 } || _connection is not null || Array.Exists(_stores, store => store.IsBusy)
            ? new CommandOutcome(false, "an earlier request to the disk has not ended yet: it could land on newer data",
                "try again when the disk answers; else stop mirrord here, replace the disk and create it anew")
            : null;
}
