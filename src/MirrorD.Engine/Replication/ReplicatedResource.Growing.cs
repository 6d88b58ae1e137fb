using MirrorD.Core.Replication;
using MirrorD.Engine.Control;

namespace MirrorD.Engine.Replication;

/// <content>Volumes grow.</content>
public sealed partial class ReplicatedResource
{
    /// <summary>The size of a volume as its clients see it; only after the load.</summary>
    internal long ServedBytes(int volume) => _replica!.ServedBytes(volume);

    long IReplicaEffects.FindRoom(int volume, out string? obstacle) => _stores[volume].FindRoom(out obstacle);

    long IReplicaEffects.RoomBytes(int volume) => _stores[volume].RoomBytes;

    void IReplicaEffects.MakeRoom(int volume, long dataBytes, Action<int> made) =>
        _stores[volume].MakeRoom(dataBytes, error =>
        {
            made(error);
            AfterEvent();
        });

    void IReplicaEffects.VolumesGrew() => _host.VolumesGrew();

    private void Grow(ResourceCommand.Resize resize, Action<CommandOutcome> answered)
    {
        int volume = resize.Volume is null ? -1 : _options.Volumes.ToList().FindIndex(v => v.Name == resize.Volume);
        if (_replica is null || _isAttaching)
        {
            answered(NotLoaded());
        }
        else if (resize.Volume is not null && volume < 0)
        {
            answered(new CommandOutcome(false, $"{Name} has no volume {resize.Volume}",
                $"its volumes are {string.Join(", ", _options.Volumes.Select(v => v.Name))}"));
        }
        else
        {
            _link.HurryUp();
            _replica.Grow(volume < 0 ? null : volume, resize.SizeBytes,
                (succeeded, message, remedy) => answered(new CommandOutcome(succeeded, message, remedy)));
        }
    }
}
