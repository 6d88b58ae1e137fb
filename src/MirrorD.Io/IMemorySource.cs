namespace MirrorD.Io;

/// <summary>Where the memory of buffers comes from. Any thread.</summary>
public interface IMemorySource
{
    /// <summary>Takes memory.</summary>
    /// <returns>Its address, a multiple of <see cref="IoBuffer.AlignmentBytes"/>.</returns>
    /// <exception cref="OutOfMemoryException">There is none.</exception>
    nint Take(int lengthBytes);

    /// <summary>Gives back what was taken.</summary>
    void Give(nint address, int lengthBytes);
}
