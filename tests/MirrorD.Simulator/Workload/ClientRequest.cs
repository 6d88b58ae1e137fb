using MirrorD.Core.Volumes;
using MirrorD.Engine;
using MirrorD.Engine.Control;
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
    private readonly TrackedRequest _tracked;
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
        (long offset, long length) = operation == VolumeOperation.Flush
            ? (0, 0) : hotspots.DrawFor(operation, random, volume, frontend.BlockBytes, frontend.LengthBytes);
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
        _tracked = new TrackedRequest(
            simulation, operation, volume, offset, length, _request.ForceUnitAccess);
        if (operation == VolumeOperation.Write)
        {
            _tracked.Fill(_request.Data.Span);
        }
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
        simulation.Requests.Add(request);
        frontend.Submit(request._request);
        return request;
    }

    /// <summary>The server died: gives the mutation that was under way, if it was one.</summary>
    public Mutation? LoseServer()
    {
        _isOver = true;
        _tracked.Drop();
        return _tracked.Mutation;
    }

    /// <summary>What a client asks for next.</summary>
    public static VolumeOperation Draw(SeededRandom random) => random.Below(100) switch
    {
        < 56 => VolumeOperation.Write,
        < 80 => VolumeOperation.Read,
        < 90 => VolumeOperation.Flush,
        < 96 => VolumeOperation.Zero,
        _ => VolumeOperation.Discard,
    };

    private void Completed(IoRequest request)
    {
        if (_isOver)
        {
            throw new RuleBroken("contract", $"a {request.Operation} was completed twice, or by a dead process");
        }

        _isOver = true;
        _simulation.Requests.Remove(this);
        _simulation.Tally.Count(request.Operation, request.Error == 0);
        if (request.Error == 0)
        {
            if (request.Operation != VolumeOperation.Read && Server.Status?.Link == LinkState.Joining)
            {
                throw new RuleBroken("I-4", $"{Server.Name} acknowledged a {request.Operation} between handshake and J2");
            }

            _tracked.Succeed(Server, request.Data.Span);
        }
        else
        {
            _tracked.Fail();
        }

        if (request.State is IoBuffer buffer)
        {
            request.Data.Span.Fill(0xdd);
            _frontend.Buffers.Return(buffer);
        }

        _ended(this, request.Error);
    }
}
