using System.Text;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>What a block device of the kernel's nbd driver is like.</summary>
public sealed record NbdDeviceOptions
{
    /// <summary>Longest name of a backend.</summary>
    public const int MaxBackendBytes = 255;

    /// <summary>A year: the requests of a device wait that long for a daemon that comes back.</summary>
    public const long ForeverSeconds = 31_536_000;

    /// <summary>
    /// What the device is for, 1 to <see cref="MaxBackendBytes"/> bytes of UTF-8 without control characters.
    /// Shown in /sys/block/nbdN/backend; by it a restarted daemon and the udev rule know the device.
    /// </summary>
    public required string Backend { get; init; }

    /// <summary>Size; a multiple of the block.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Smallest request: 512, 1024, 2048 or 4096.</summary>
    public required int BlockBytes { get; init; }

    /// <summary>
    /// NBD_FLAG_… as in the protocol's export information; the kernel ignores what it does not know.
    /// </summary>
    public required ushort TransmissionFlags { get; init; }

    /// <summary>How long requests wait once the socket is dead; then they fail with EIO.</summary>
    public long DeadConnectionTimeoutSeconds { get; init; } = ForeverSeconds;

    /// <summary>
    /// Throws <see cref="ArgumentException"/> when the kernel would refuse or misread a value.
    /// </summary>
    internal void Validate()
    {
        int backendBytes = Encoding.UTF8.GetByteCount(Backend);
        if (backendBytes is 0 or > MaxBackendBytes || Backend.Any(char.IsControl))
        {
            throw new ArgumentException(
                $"A backend has 1 to {MaxBackendBytes} bytes and no control characters: {Backend}");
        }

        if (BlockBytes is not (512 or 1024 or 2048 or 4096))
        {
            throw new ArgumentException($"A block of {BlockBytes} bytes is not 512, 1024, 2048 or 4096.");
        }

        if (SizeBytes <= 0 || SizeBytes % BlockBytes != 0)
        {
            throw new ArgumentException($"{SizeBytes} bytes are not a positive multiple of {BlockBytes}.");
        }

        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(DeadConnectionTimeoutSeconds);
    }
}
