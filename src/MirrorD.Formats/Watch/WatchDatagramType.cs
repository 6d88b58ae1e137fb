namespace MirrorD.Formats.Watch;

/// <summary>Datagrams of the watch. Values go over the wire.</summary>
public enum WatchDatagramType : byte
{
    /// <summary>A sign of life with what the sender's resources are: <see cref="HeartbeatEntry"/>.</summary>
    Heartbeat = 1,
    /// <summary>A message of the control channel: <see cref="ControlMessageCodec"/>.</summary>
    Control = 2,
}
