namespace MirrorD.Formats.Watch;

/// <summary>Why a datagram of the watch can't be used, in the order in which it is checked.</summary>
public enum WatchFault
{
    /// <summary>Nothing is wrong.</summary>
    None,
    /// <summary>Too short, too long, or another length than it says.</summary>
    Length,
    /// <summary>Not a datagram of this protocol.</summary>
    Magic,
    /// <summary>Another version of it.</summary>
    Version,
    /// <summary>Damaged, forged, or made with another key.</summary>
    Mac,
    /// <summary>Reserved bytes or flags are not zero.</summary>
    Reserved,
    /// <summary>Unknown type.</summary>
    Type,
    /// <summary>What follows the header is malformed.</summary>
    Body,
    /// <summary>Right, but of this node itself, or meant for another path.</summary>
    Misdirected,
}
