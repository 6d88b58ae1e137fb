using System.Diagnostics.CodeAnalysis;
using System.Text;
using MirrorD.Formats.Nbd;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <summary>
/// One export of a server: its volume, its name on the wire, and the fair use of its slots.
/// </summary>
internal sealed class NbdExport
{
    private readonly NbdServerOptions _options;
    private readonly int _reservedSlots;
    private readonly Action _told;
    private bool _waiting;

    /// <summary>Makes an export.</summary>
    /// <param name="volume">What is served.</param>
    /// <param name="options">Limits of the server.</param>
    /// <param name="slotReturned">Called when a slot that somebody waited for may be free.</param>
    public NbdExport(IVolumeFrontend volume, NbdServerOptions options, Action<NbdExport> slotReturned)
    {
        Volume = volume;
        NameUtf8 = Encoding.UTF8.GetBytes(volume.Name);
        if (NameUtf8.Length > SessionLimits.ExportNameBytes)
        {
            throw new ArgumentException($"The export name '{volume.Name}' is longer than " +
                $"{SessionLimits.ExportNameBytes} bytes.", nameof(volume));
        }

        _options = options;
        int guaranteedSlots = (options.MaxSessions + options.NeighbourSessions) * options.GuaranteedSlotsPerSession;
        _reservedSlots = Math.Min(volume.Buffers.Slots / 2, guaranteedSlots);
        _told = () =>
        {
            _waiting = false;
            slotReturned(this);
        };
    }

    /// <summary>What is served.</summary>
    public IVolumeFrontend Volume { get; }

    /// <summary>The name as it is sent.</summary>
    public byte[] NameUtf8 { get; }

    /// <summary>Data bytes of a slot.</summary>
    public int SlotBytes => Volume.Buffers.DataBytes;

    /// <summary>
    /// What is offered. A flush covers every completed write of the volume, whoever sent it. A trim leaves zeroes on
    /// both nodes; where they would have to be written it is not offered.
    /// </summary>
    public NbdTransmissionFlags Flags(bool structuredReplies) =>
        NbdTransmissionFlags.HasFlags | NbdTransmissionFlags.SendCache | NbdTransmissionFlags.CanMultiConnection
        | (Volume.IsReadOnly ? NbdTransmissionFlags.ReadOnly
            : NbdTransmissionFlags.SendFlush | NbdTransmissionFlags.SendFua | NbdTransmissionFlags.SendWriteZeroes
                | NbdTransmissionFlags.SendFastZero
                | (Volume.CanTrim ? NbdTransmissionFlags.SendTrim : NbdTransmissionFlags.None))
        | (structuredReplies ? NbdTransmissionFlags.SendDontFragment : NbdTransmissionFlags.None);

    /// <summary>
    /// Rents a slot for a session that holds so many. When false, the session gets another chance as soon as
    /// it, or anybody, has returned one.
    /// </summary>
    public bool TryRentSlot(int held, [NotNullWhen(true)] out IoBuffer? slot)
    {
        slot = null;
        if (held >= _options.MaxSlotsPerSession)
        {
            return false;
        }

        bool greedy = held >= _options.GuaranteedSlotsPerSession
            && Volume.Buffers.FreeSlots <= _reservedSlots;
        if (!greedy && Volume.Buffers.TryRent(out slot))
        {
            return true;
        }

        if (!_waiting)
        {
            _waiting = true;
            Volume.WhenBufferFree(_told);
        }

        return false;
    }
}
