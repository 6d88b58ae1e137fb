namespace MirrorD.Formats.Metadata;

/// <summary>Why a metadata block was not accepted.</summary>
public enum MetadataError
{
    /// <summary>It was accepted.</summary>
    None,
    /// <summary>All bytes are zero: never written.</summary>
    Empty,
    /// <summary>Something else, or nothing of ours, stands there.</summary>
    BadMagic,
    /// <summary>The checksum does not match: torn or damaged.</summary>
    BadChecksum,
    /// <summary>Intact, but of a version that this program does not know.</summary>
    UnsupportedVersion,
    /// <summary>Intact, but bytes that this version leaves zero are not.</summary>
    ReservedNotZero,
    /// <summary>Intact, but a field holds a value that the format does not allow.</summary>
    FieldOutOfRange,
    /// <summary>Intact, but it belongs at another place (page index, ring slot, volume).</summary>
    Misplaced,
}
