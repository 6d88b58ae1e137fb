using MirrorD.Core.Volumes;
using MirrorD.Engine;
using MirrorD.Io;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator.Workload;

/// <summary>
/// One request at a node: tells the oracle and the checks what came of it. It outlives the patience of its client,
/// as a node may answer a request that its client has given up.
/// </summary>
public sealed class ClientRequest
{
    private readonly PairSimulation _simulation;
    private readonly Action<ClientRequest, int> _ended;
    private readonly IoRequest _request;
    private readonly IVolumeFrontend _frontend;
    private readonly long _submittedAtStep;
    private Mutation? _mutation;
    private ReadInProgress? _read;
    private FlushInProgress? _flush;
    private bool _isOver;

    private ClientRequest(
        PairSimulation simulation, SimulatedNodeState server, VolumeOperation operation, IoBuffer? buffer,
        IVolumeFrontend frontend, int volume, Hotspots hotspots, Action<ClientRequest, int> ended)
    {
        SeededRandom random = simulation.World.Random;
        _simulation = simulation;
        _ended = ended;
        _frontend = frontend;
        Server = server;
        _submittedAtStep = simulation.World.Steps;
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
    }

    /// <summary>The node that it is at.</summary>
    public SimulatedNodeState Server { get; }

    /// <summary>
    /// Submits a random request to a node; null when the node has no slot for its data.
    /// </summary>
    /// <param name="simulation">The pair.</param>
    /// <param name="server">A node whose volumes can be opened.</param>
    /// <param name="hotspots">Where to.</param>
    /// <param name="ended">Called with the errno of the answer; not when the node dies before.</param>
    public static ClientRequest? Submit(
        PairSimulation simulation, SimulatedNodeState server, Hotspots hotspots, Action<ClientRequest, int> ended)
    {
        SeededRandom random = simulation.World.Random;
        int volume = random.Below(simulation.Scenario.Volumes);
        IVolumeFrontend frontend = server.Resource!.Frontend(volume);
        VolumeOperation operation = Draw(random);
        bool carriesData = operation is VolumeOperation.Read or VolumeOperation.Write;
        IoBuffer? buffer = null;
        if (carriesData && !frontend.Buffers.TryRent(out buffer))
        {
            return null;
        }

        var request = new ClientRequest(
            simulation, server, operation, buffer, frontend, volume, hotspots, ended);
        request.Remember();
        simulation.Requests.Add(request);
        frontend.Submit(request._request);
        return request;
    }

    /// <summary>The server died: gives the mutation that was under way, if it was one.</summary>
    public Mutation? LoseServer()
    {
        _isOver = true;
        if (_read is not null)
        {
            _simulation.Oracle.DropRead(_read);
        }

        return _mutation;
    }

    private static VolumeOperation Draw(SeededRandom random) => random.Below(100) switch
    {
        < 56 => VolumeOperation.Write,
        < 80 => VolumeOperation.Read,
        < 90 => VolumeOperation.Flush,
        < 96 => VolumeOperation.Zero,
        _ => VolumeOperation.Discard,
    };

    private void Remember()
    {
        if (_request.Operation == VolumeOperation.Read)
        {
            _read = _simulation.Oracle.BeginRead(_request.Volume, _request.Offset, _request.LengthBytes);
        }
        else if (_request.Operation == VolumeOperation.Flush)
        {
            _flush = _simulation.Oracle.BeginFlush();
        }
        else
        {
            MutationKind kind = _request.Operation switch
            {
                VolumeOperation.Zero => MutationKind.Zero,
                VolumeOperation.Discard => MutationKind.Discard,
                _ => MutationKind.Write,
            };
            _mutation = _simulation.Oracle.Submit(
                kind, _request.Volume, _request.Offset, _request.LengthBytes, _request.ForceUnitAccess);
            if (kind == MutationKind.Write)
            {
                Stamp.Fill(_request.Data.Span, _request.Volume, _mutation.FirstSector, _mutation.Number);
            }
        }
    }

    private void Completed(IoRequest request)
    {
        if (_isOver)
        {
            throw new RuleBroken("contract", $"a {request.Operation} was completed twice, or by a dead process");
        }

        _isOver = true;
        _simulation.Requests.Remove(this);
        _simulation.Tally.Count(request);
        if (request.Error == 0)
        {
            Succeed();
        }
        else
        {
            Fail();
        }

        if (request.State is IoBuffer buffer)
        {
            request.Data.Span.Fill(0xdd);
            _frontend.Buffers.Return(buffer);
        }

        _ended(this, request.Error);
    }

    private void Succeed()
    {
        if (_mutation is not null)
        {
            _simulation.Oracle.Acknowledge(_mutation);
            _simulation.Acknowledgements.Check(_mutation, Server, _submittedAtStep);
        }
        else if (_read is not null)
        {
            _simulation.Oracle.EndRead(_read, _request.Data.Span);
        }
        else if (_flush is not null)
        {
            _simulation.Oracle.EndFlush(_flush);
            _simulation.Acknowledgements.Check(_flush, Server);
        }
    }

    private void Fail()
    {
        if (_mutation is not null)
        {
            _simulation.Oracle.Fail(_mutation);
        }

        if (_read is not null)
        {
            _simulation.Oracle.DropRead(_read);
        }
    }
}
