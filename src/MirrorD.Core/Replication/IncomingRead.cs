namespace MirrorD.Core.Replication;

/// <summary>A read that the peer asks for: its own disk could not answer it, or it has none. Made by the engine.</summary>
public class IncomingRead
{
    /// <summary>Number by which the peer knows it.</summary>
    public long Number { get; set; }

    /// <summary>Number of the connection that it came over.</summary>
    internal int Link { get; set; }

    /// <summary>Volume number.</summary>
    public int Volume { get; set; }

    /// <summary>Byte offset.</summary>
    public long Offset { get; set; }

    /// <summary>Length in bytes.</summary>
    public long LengthBytes { get; set; }
}
