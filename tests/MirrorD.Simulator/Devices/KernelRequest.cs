using MirrorD.Core.Volumes;
using MirrorD.Formats.Nbd;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Workload;

namespace MirrorD.Simulator.Devices;

/// <summary>One request at a <see cref="KernelDevice"/>: what it is, and how it was last sent.</summary>
public sealed class KernelRequest
{
    private readonly NbdCommandFlags _flags;
    private readonly byte[] _data = [];

    /// <summary>Draws one, and submits it as far as the oracle is concerned.</summary>
    /// <param name="simulation">The pair.</param>
    /// <param name="volume">Where.</param>
    /// <param name="hotspots">Where there.</param>
    /// <param name="ended">Called with the errno of its end.</param>
    public KernelRequest(PairSimulation simulation, int volume, Hotspots hotspots, Action<int> ended)
    {
        SeededRandom random = simulation.World.Random;
        Ended = ended;
        Operation = ClientRequest.Draw(random);
        bool mutates = Operation is not (VolumeOperation.Read or VolumeOperation.Flush);
        if (Operation != VolumeOperation.Flush)
        {
            (Offset, LengthBytes) = hotspots.Draw(
                random, volume, simulation.Scenario.BlockBytes, simulation.SizeOf(volume));
        }

        bool durable = mutates && random.Percent(15);
        _flags = durable ? NbdCommandFlags.ForceUnitAccess : NbdCommandFlags.None;
        if (Operation == VolumeOperation.Zero && random.Percent(50))
        {
            _flags |= NbdCommandFlags.NoHole;
        }

        Tracked = new TrackedRequest(simulation, Operation, volume, Offset, LengthBytes, durable);
        if (Operation == VolumeOperation.Write)
        {
            _data = new byte[LengthBytes];
            Tracked.Fill(_data);
        }
    }

    /// <summary>What is done.</summary>
    public VolumeOperation Operation { get; }

    /// <summary>First byte.</summary>
    public long Offset { get; }

    /// <summary>Length; 0 of a flush.</summary>
    public long LengthBytes { get; }

    /// <summary>As the oracle knows it.</summary>
    public TrackedRequest Tracked { get; }

    /// <summary>Called with the errno of its end.</summary>
    public Action<int> Ended { get; }

    /// <summary>How often it was sent.</summary>
    public int Sendings { get; private set; }

    /// <summary>Names its latest sending; no other one is answered.</summary>
    public ulong Cookie { get; private set; }

    /// <summary>Data of a good answer.</summary>
    public int AnswerBytes => Operation == VolumeOperation.Read ? (int)LengthBytes : 0;

    /// <summary>The bytes of the next sending.</summary>
    public byte[] Send(ulong cookie)
    {
        Sendings++;
        Cookie = cookie;
        byte[] bytes = new byte[NbdRequestHeader.SizeBytes + _data.Length];
        NbdCommand command = Operation switch
        {
            VolumeOperation.Read => NbdCommand.Read,
            VolumeOperation.Write => NbdCommand.Write,
            VolumeOperation.Zero => NbdCommand.WriteZeroes,
            VolumeOperation.Discard => NbdCommand.Trim,
            VolumeOperation.Flush => NbdCommand.Flush,
        };
        new NbdRequestHeader(_flags, command, cookie, (ulong)Offset, (uint)LengthBytes).Encode(bytes);
        _data.CopyTo(bytes, NbdRequestHeader.SizeBytes);
        return bytes;
    }
}
