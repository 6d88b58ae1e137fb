using System.Security.Cryptography;
using System.Text;

namespace MirrorD.Daemon.Forwarding;

/// <summary>
/// How two daemons show one another that they have the cluster's key, without sending it. The caller sends a hello, the
/// other side a hello and its proof, the caller its proof; a hello is 16 bytes that name the protocol and 32 random
/// ones, a proof the HMAC-SHA-256 of a label and both hellos. Keys of the records are made in the same way.
/// </summary>
internal static class SealedHandshake
{
    private const int HelloBytes = 16 + 32;
    private const int ProofBytes = 32;

    private static readonly byte[] s_name = Encoding.ASCII.GetBytes("mirrord-call 1\0\n");

    /// <summary>The calling side.</summary>
    /// <exception cref="IOException">The other side is no daemon of this cluster.</exception>
    public static async Task<SealedStream> Call(Stream connection, byte[] key, CancellationToken stop)
    {
        byte[] caller = Hello();
        await connection.WriteAsync(caller, stop);
        byte[] answer = new byte[HelloBytes + ProofBytes];
        await connection.ReadExactlyAsync(answer, stop);
        byte[] called = answer[..HelloBytes];
        Require(called, answer.AsSpan(HelloBytes), Derive(key, "proof of the called", caller, called));
        await connection.WriteAsync(Derive(key, "proof of the caller", caller, called), stop);
        return new SealedStream(
            connection, Derive(key, "from the caller", caller, called), Derive(key, "from the called", caller, called));
    }

    /// <summary>The called side.</summary>
    /// <exception cref="IOException">The other side is no daemon of this cluster.</exception>
    public static async Task<SealedStream> Answer(Stream connection, byte[] key, CancellationToken stop)
    {
        byte[] caller = new byte[HelloBytes];
        await connection.ReadExactlyAsync(caller, stop);
        if (!caller.AsSpan(0, s_name.Length).SequenceEqual(s_name))
        {
            // Not even answered: whoever it is, it speaks something else.
            throw new IOException("the caller speaks another protocol");
        }

        byte[] called = Hello();
        await connection.WriteAsync(
            (byte[])[.. called, .. Derive(key, "proof of the called", caller, called)], stop);
        byte[] proof = new byte[ProofBytes];
        await connection.ReadExactlyAsync(proof, stop);
        Require(caller, proof, Derive(key, "proof of the caller", caller, called));
        return new SealedStream(
            connection, Derive(key, "from the called", caller, called), Derive(key, "from the caller", caller, called));
    }

    private static byte[] Hello() => [.. s_name, .. RandomNumberGenerator.GetBytes(32)];

    private static byte[] Derive(byte[] key, string label, byte[] caller, byte[] called) =>
        HMACSHA256.HashData(
            key, (byte[])[.. Encoding.ASCII.GetBytes($"mirrord call 1: {label}"), .. caller, .. called]);

    private static void Require(ReadOnlySpan<byte> hello, ReadOnlySpan<byte> proof, ReadOnlySpan<byte> expected)
    {
        if (!hello[..s_name.Length].SequenceEqual(s_name) || !CryptographicOperations.FixedTimeEquals(proof, expected))
        {
            throw new IOException("the other side does not have the cluster's key");
        }
    }
}
