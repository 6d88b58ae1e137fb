using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <summary>A client that has shown who it is, and has opened no export yet.</summary>
/// <param name="Connection">Its connection.</param>
/// <param name="Stream">The same, encrypted; whoever gets this closes and disposes it.</param>
/// <param name="Client">Name of the client, and where it is, for messages.</param>
/// <param name="KeyHash">Hash of the key that it has shown; empty where the handshake does not say.</param>
/// <param name="NoZeroes">The client wants no padding after the answer to EXPORT_NAME.</param>
internal sealed record NbdAdmission(IConnection Connection, SealedStream Stream, string Client, string KeyHash, bool NoZeroes);
