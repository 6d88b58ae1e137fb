using MirrorD.Core.Volumes;
using MirrorD.Io;

namespace MirrorD.Engine;

/// <summary>
/// A volume request together with its data. The owner makes it once, fills it, submits it to an
/// <see cref="IVolumeFrontend"/>, and gets it back through the callback, on the loop's thread.
/// </summary>
public sealed partial class IoRequest(Action<IoRequest> completed, object? state = null) : VolumeRequest
{
    /// <summary>
    /// The data of a read or write: length equals the request's length. It begins at
    /// <see cref="BufferPool.HeadroomBytes"/> of a pool slot, so that a peer header fits before it.
    /// </summary>
    public BufferSlice Data { get; set; }

    /// <summary>The owner's own state.</summary>
    public object? State { get; set; } = state;

    /// <summary>Hands the request back to its owner. Called once per submission, by the frontend.</summary>
    public void Complete(int error)
    {
        Error = error;
        completed(this);
    }
}
