using MirrorD.Engine.Control;

namespace MirrorD.Engine.Replication;

/// <summary>
/// The copies of a Standby, opened for reading by an operator's command. They close by themselves, in the event in which
/// something begins that leads to other data on this node's disks.
/// </summary>
public sealed partial class ReplicatedResource
{
    private bool _isCopyOpen;

    /// <summary>Which opening this is: what belongs to an earlier one is never answered with data.</summary>
    internal int CopyOpening { get; private set; }

    /// <summary>The copies are open since that opening, and still as they were then.</summary>
    internal bool MayReadCopy(int opening) =>
        _isCopyOpen && opening == CopyOpening && !_isAttaching && _replica is { StandsStill: true };

    private void OpenCopy(Action<CommandOutcome> answered)
    {
        if (_replica is null || _isAttaching || _isStopped)
        {
            answered(NotLoaded());
            return;
        }

        if (_replica.RefusalOfReading() is { } refusal)
        {
            answered(new CommandOutcome(false, refusal.Message, refusal.Remedy));
            return;
        }

        // A write that was given up may still land.
        if (_deadlines is { GivenUp: > 0 })
        {
            answered(RefusalWhileRequestsLast()!);
            return;
        }

        if (_isCopyOpen)
        {
            answered(CopyIsOpen());
            return;
        }

        _isCopyOpen = true;
        _replica.IsRead = true;
        CopyOpening++;
        StandingCopy[] copies = [.. _options.Volumes.Select((volume, i) => new StandingCopy(this, _loop, volume, i))];
        if (_host.OpenCopies(copies) is { } problem)
        {
            _isCopyOpen = false;
            _replica.IsRead = false;
            _host.CloseCopies(problem);
            answered(new CommandOutcome(false, problem, "see what is in the way there, then try again"));
            return;
        }

        _host.Raise(new ResourceEvent(_loop.NowNs, "copy-exported", $"{Name}: the copy of this node can be read"));
        answered(CopyIsOpen());
    }

    private CommandOutcome CopyIsOpen() => new(true,
        $"the copy of {Name} on {_options.NodeName} can be read, and nothing be written, until mirrorctl split-brain "
        + $"unexport {Name}, or until something changes it");

    private void CloseCopy(Action<CommandOutcome> answered)
    {
        bool wasOpen = _isCopyOpen;
        EndReading("an operator ended it");
        string copy = $"the copy of {Name} on {_options.NodeName}";
        answered(wasOpen ? new CommandOutcome(true, $"{copy} can be read no more")
            : new CommandOutcome(false, $"{copy} was not open for reading", "mirrorctl status"));
    }

    /// <summary>Ends every turn of this resource.</summary>
    private void CloseCopyThatChanges()
    {
        if (_isCopyOpen && !MayReadCopy(CopyOpening))
        {
            EndReading("this copy does not stay as it is");
        }
    }

    private void EndReading(string reason)
    {
        if (_isCopyOpen)
        {
            _isCopyOpen = false;
            _replica!.IsRead = false;
            _host.CloseCopies(reason);
            _host.Raise(new ResourceEvent(
                _loop.NowNs, "copy-export-ended", $"{Name}: the copy of this node can be read no more: {reason}"));
            Changed();
        }
    }
}
