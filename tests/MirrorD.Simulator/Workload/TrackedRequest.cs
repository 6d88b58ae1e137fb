using MirrorD.Core.Volumes;
using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator.Workload;

/// <summary>
/// One request as the oracle and the checks know it, from its submission to what came of it.
/// </summary>
public sealed class TrackedRequest
{
    private readonly PairSimulation _simulation;
    private readonly VolumeOperation _operation;
    private readonly int _volume;
    private readonly long _offset;
    private readonly long _lengthBytes;
    private ReadInProgress? _read;
    private FlushInProgress? _flush;
    private long _askedAtStep;

    /// <summary>A client submits it now.</summary>
    public TrackedRequest(
        PairSimulation simulation, VolumeOperation operation, int volume, long offset, long lengthBytes,
        bool forceUnitAccess)
    {
        _simulation = simulation;
        _operation = operation;
        _volume = volume;
        _offset = offset;
        _lengthBytes = lengthBytes;
        Begin();
        if (operation is VolumeOperation.Write or VolumeOperation.Zero or VolumeOperation.Discard)
        {
            MutationKind kind = operation switch
            {
                VolumeOperation.Zero => MutationKind.Zero,
                VolumeOperation.Discard => MutationKind.Discard,
                _ => MutationKind.Write,
            };
            Mutation = simulation.Oracle.Submit(kind, volume, offset, lengthBytes, forceUnitAccess);
        }
    }

    /// <summary>What it changes, if anything.</summary>
    public Mutation? Mutation { get; }

    /// <summary>The data of a write: stamped sectors.</summary>
    public void Fill(Span<byte> data) => Stamp.Fill(data, _volume, Mutation!.FirstSector, Mutation.Number);

    /// <summary>
    /// It is sent anew, and only this sending will be answered: a read or flush begins now; a mutation
    /// remains the one that it was, which may take effect more than once until its answer.
    /// </summary>
    public void SendAnew()
    {
        Drop();
        Begin();
    }

    /// <summary>It was answered with success.</summary>
    /// <param name="server">Who answered.</param>
    /// <param name="data">What a read found.</param>
    public void Succeed(SimulatedNodeState server, ReadOnlySpan<byte> data)
    {
        if (Mutation is not null)
        {
            _simulation.Oracle.Acknowledge(Mutation);
            _simulation.Acknowledgements.Check(Mutation, server, _askedAtStep);
        }
        else if (_read is not null)
        {
            _simulation.Oracle.EndRead(_read, data);
        }
        else if (_flush is not null)
        {
            _simulation.Oracle.EndFlush(_flush);
            _simulation.Acknowledgements.Check(_flush, server);
        }
    }

    /// <summary>It failed, and nothing of it is under way any more.</summary>
    public void Fail()
    {
        if (Mutation is not null)
        {
            _simulation.Oracle.Fail(Mutation);
        }

        Drop();
    }

    /// <summary>Nobody waits for what a read finds.</summary>
    public void Drop()
    {
        if (_read is not null)
        {
            _simulation.Oracle.DropRead(_read);
        }
    }

    private void Begin()
    {
        _askedAtStep = _simulation.World.Steps;
        if (_operation == VolumeOperation.Read)
        {
            _read = _simulation.Oracle.BeginRead(_volume, _offset, _lengthBytes);
        }
        else if (_operation == VolumeOperation.Flush)
        {
            _flush = _simulation.Oracle.BeginFlush();
        }
    }
}
