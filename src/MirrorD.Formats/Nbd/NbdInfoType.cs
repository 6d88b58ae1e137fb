namespace MirrorD.Formats.Nbd;

/// <summary>Kinds of information about an export (NBD_INFO_…).</summary>
public enum NbdInfoType : ushort
{
    /// <summary>Size and transmission flags (<see cref="NbdExportInfo"/>).</summary>
    Export = 0,
    /// <summary>The canonical name.</summary>
    Name = 1,
    /// <summary>A description for humans.</summary>
    Description = 2,
    /// <summary>Sizes that requests must or should have (<see cref="NbdBlockSizeInfo"/>).</summary>
    BlockSize = 3,
}
