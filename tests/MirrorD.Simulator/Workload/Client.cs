using MirrorD.Core.Volumes;
using MirrorD.Engine;
using MirrorD.Io;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator.Workload;

/// <summary>
/// One request slot of a client: submits a random request to the node that serves, tells the oracle and the
/// checks what came of it, pauses, goes on.
/// </summary>
public sealed class Client(PairSimulation simulation, Hotspots hotspots)
{
    private const long RetryNs = 20_000_000;

    private IoRequest? _request;
    private Mutation? _mutation;
    private ReadInProgress? _read;
    private FlushInProgress? _flush;
    private long _submittedAtStep;
    private bool _isStopped;

    /// <summary>A request is under way.</summary>
    public bool IsBusy => _request is not null;

    /// <summary>The node that the request is at.</summary>
    public SimulatedNodeState? Server { get; private set; }

    /// <summary>Begins.</summary>
    public void Start() => Again(simulation.World.Random.Between(0, simulation.Scenario.ThinkNs));

    /// <summary>Submits nothing more.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>The server died: gives the mutation that was under way, if it was one.</summary>
    public Mutation? LoseServer()
    {
        Mutation? lost = _mutation;
        if (_read is not null)
        {
            simulation.Oracle.DropRead(_read);
        }

        Clear();
        Again(RetryNs);
        return lost;
    }

    private void Again(long delayNs)
    {
        if (!_isStopped)
        {
            simulation.World.Schedule(delayNs, Next);
        }
    }

    private void Next()
    {
        if (_isStopped || IsBusy)
        {
            return;
        }

        if (simulation.FindServer() is not { } server || !Submit(server))
        {
            Again(RetryNs);
        }
    }

    private bool Submit(SimulatedNodeState server)
    {
        SeededRandom random = simulation.World.Random;
        int volume = random.Below(simulation.Scenario.Volumes);
        IVolumeFrontend frontend = server.Resource!.Frontend(volume);
        VolumeOperation operation = Draw(random);
        bool carriesData = operation is VolumeOperation.Read or VolumeOperation.Write;
        IoBuffer? buffer = null;
        if (carriesData && !frontend.Buffers.TryRent(out buffer))
        {
            return false;
        }

        (long offset, long length) = operation == VolumeOperation.Flush
            ? (0, 0) : hotspots.Draw(random, volume, frontend.BlockBytes);
        bool mutates = operation is not (VolumeOperation.Read or VolumeOperation.Flush);
        _request = new IoRequest(Completed, buffer)
        {
            Operation = operation,
            Volume = volume,
            Offset = offset,
            LengthBytes = length,
            ForceUnitAccess = mutates && random.Percent(15),
            MayUnmap = operation == VolumeOperation.Zero && random.Percent(50),
            Data = buffer is null ? default : buffer.Slice(BufferPool.HeadroomBytes, (int)length),
        };
        Server = server;
        _submittedAtStep = simulation.World.Steps;
        Remember(_request);
        frontend.Submit(_request);
        return true;
    }

    private static VolumeOperation Draw(SeededRandom random) => random.Below(100) switch
    {
        < 56 => VolumeOperation.Write,
        < 80 => VolumeOperation.Read,
        < 90 => VolumeOperation.Flush,
        < 96 => VolumeOperation.Zero,
        _ => VolumeOperation.Discard,
    };

    private void Remember(IoRequest request)
    {
        if (request.Operation == VolumeOperation.Read)
        {
            _read = simulation.Oracle.BeginRead(request.Volume, request.Offset, request.LengthBytes);
        }
        else if (request.Operation == VolumeOperation.Flush)
        {
            _flush = simulation.Oracle.BeginFlush();
        }
        else
        {
            MutationKind kind = request.Operation switch
            {
                VolumeOperation.Zero => MutationKind.Zero,
                VolumeOperation.Discard => MutationKind.Discard,
                _ => MutationKind.Write,
            };
            _mutation = simulation.Oracle.Submit(
                kind, request.Volume, request.Offset, request.LengthBytes, request.ForceUnitAccess);
            if (kind == MutationKind.Write)
            {
                Stamp.Fill(request.Data.Span, request.Volume, _mutation.FirstSector, _mutation.Number);
            }
        }
    }

    private void Completed(IoRequest request)
    {
        if (request != _request)
        {
            throw new RuleBroken("contract", $"a {request.Operation} was completed twice");
        }

        simulation.Tally.Count(request);
        SimulatedNodeState server = Server!;
        if (request.Error == 0)
        {
            Succeed(request, server);
        }
        else
        {
            Fail();
        }

        if (request.State is IoBuffer buffer)
        {
            request.Data.Span.Fill(0xdd);
            server.Resource!.Frontend(request.Volume).Buffers.Return(buffer);
        }

        Clear();
        long thinkNs = simulation.World.Random.Between(0, 2 * simulation.Scenario.ThinkNs);
        Again(request.Error != 0 ? RetryNs : thinkNs);
    }

    private void Succeed(IoRequest request, SimulatedNodeState server)
    {
        if (_mutation is not null)
        {
            simulation.Oracle.Acknowledge(_mutation);
            simulation.Acknowledgements.Check(_mutation, server, _submittedAtStep);
        }
        else if (_read is not null)
        {
            simulation.Oracle.EndRead(_read, request.Data.Span);
        }
        else if (_flush is not null)
        {
            simulation.Oracle.EndFlush(_flush);
            simulation.Acknowledgements.Check(_flush, server);
        }
    }

    private void Fail()
    {
        if (_mutation is not null)
        {
            simulation.Oracle.Fail(_mutation);
        }

        if (_read is not null)
        {
            simulation.Oracle.DropRead(_read);
        }
    }

    private void Clear()
    {
        Server = null;
        _request = null;
        _mutation = null;
        _read = null;
        _flush = null;
    }
}
