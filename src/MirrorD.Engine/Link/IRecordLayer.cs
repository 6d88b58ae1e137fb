using MirrorD.Io;

namespace MirrorD.Engine.Link;

/// <summary>
/// Encrypts and decrypts the bytes of one connection (TLS records). Used by the loop's thread; allocates nothing.
/// </summary>
public interface IRecordLayer : IDisposable
{
    /// <summary>What went wrong, as far as is known; null while nothing has.</summary>
    string? Problem { get; }

    /// <summary>The other side has said, authentically, that nothing more comes, and all that came before is out.</summary>
    bool IsEnded { get; }

    /// <summary>What so many bytes may become at most.</summary>
    int MostSealedBytes(int plainBytes);

    /// <summary>Most bytes of a record that is not whole yet.</summary>
    int MostKeptBytes { get; }

    /// <summary>Encrypts.</summary>
    /// <param name="plain">The bytes.</param>
    /// <param name="into">Room for <see cref="MostSealedBytes"/>.</param>
    /// <returns>Bytes written; negative when encryption failed.</returns>
    int Seal(ReadOnlySpan<byte> plain, BufferSlice into);

    /// <summary>Decrypts as much as there is, or fits.</summary>
    /// <param name="received">What arrived and was not consumed yet.</param>
    /// <param name="into">Not empty.</param>
    /// <param name="consumedBytes">So much of what arrived is not needed any more: all of it when less than fits came
    /// out.</param>
    /// <returns>Bytes that came out, perhaps none; negative when what arrived is not the peer's.</returns>
    int Open(BufferSlice received, Span<byte> into, out int consumedBytes);
}
