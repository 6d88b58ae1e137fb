using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Serialization.Metadata;
using MirrorD.Api;
using MirrorD.Configuration.NodeState;
using MirrorD.Daemon.Access;
using MirrorD.Daemon.Events;
using MirrorD.Daemon.Forwarding;
using MirrorD.Daemon.Startup;

namespace MirrorD.Daemon.Security;

/// <summary>
/// Leads an exchange of the cluster's keys while everything runs. First all accept the new key of the heartbeats, then all use
/// it, then the former one ends; each node makes itself a new certificate key, and the former ones are taken back. It can stop
/// anywhere: every node then understands every other one, and running it again ends what was begun.
/// </summary>
internal sealed class KeyRotation(NodeContext context, Forwarder forwarder, EventLog events)
{
    private static readonly TimeSpan s_stepLimit = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _one = new(1, 1);

    private NodeKeys Keys => context.Keys;

    /// <summary>What this node has.</summary>
    public KeysReport Report()
    {
        ClusterKeys keys = Keys.Datagrams;
        return new KeysReport
        {
            Node = context.Name,
            Certificate = Keys.Security.Identity.Says.KeyHash,
            ValidUntil = Keys.Security.Identity.Says.NotAfter,
            Sending = DigitsOf(keys.Sending),
            Accepting = keys.Accepted is { } accepted ? DigitsOf(accepted) : null,
        };
    }

    /// <summary>One step, on this node.</summary>
    public KeyStepReply Do(KeyStep step)
    {
        byte[]? key = ClusterKeys.Parse(step.Key ?? "");
        try
        {
            switch (step.Step)
            {
                case KeyStep.Accept when key is not null:
                    return Reply(Keys.Accept(key), "two other keys are in use");
                case KeyStep.Use when key is not null:
                    return Reply(Keys.Use(key), "it does not know that key");
                case KeyStep.Settle when key is not null:
                    return Reply(Keys.Settle(key), "it sends with another key");
                case KeyStep.Renew:
                    (string former, string now) = Keys.Renew(DateTimeOffset.UtcNow);
                    return new KeyStepReply { Succeeded = true, Former = former, Now = now };
                case KeyStep.Exchange when step is { Node: { } node, Former: { Length: 64 } old, Now: { Length: 64 } fresh }
                    && context.Configuration.Nodes.ContainsKey(node):
                    Keys.Exchange(node, old, fresh, DateTimeOffset.UtcNow);
                    return new KeyStepReply { Succeeded = true };
                default:
                    return Reply(false, "the step is malformed: install the same release on all nodes");
            }
        }
        catch (NodeStateException failed)
        {
            return Reply(false, failed.Message);
        }
    }

    /// <summary>Exchanges all keys of all nodes.</summary>
    /// <param name="caller">Who asked.</param>
    /// <param name="stop">Ends it between two steps.</param>
    public Task<(bool Succeeded, string Message, string? Remedy)> Rotate(Caller caller, CancellationToken stop) =>
        Lead(caller, renewsAll: true, stop);

    /// <summary>A new key and certificate for this node only.</summary>
    public Task<(bool Succeeded, string Message, string? Remedy)> Renew(Caller caller, CancellationToken stop) =>
        Lead(caller, renewsAll: false, stop);

    private async Task<(bool Succeeded, string Message, string? Remedy)> Lead(
        Caller caller, bool renewsAll, CancellationToken stop)
    {
        if (!await _one.WaitAsync(0, stop))
        {
            return (false, "keys are being exchanged already", "wait for its end");
        }

        try
        {
            string[] others = [.. forwarder.Nodes];
            foreach (string node in others)
            {
                await Ask(node, caller, HttpMethod.Get, ApiPaths.Keys, null, ApiJson.Compact.KeysReport, stop);
            }

            if (renewsAll)
            {
                await ExchangeDatagramKeys(others, caller, stop);
            }

            string[] renewing = renewsAll ? [.. others, context.Name] : [context.Name];
            foreach (string node in renewing)
            {
                KeyStepReply renewed = await Step(node, caller, new KeyStep { Step = KeyStep.Renew }, stop);
                var exchange = new KeyStep
                {
                    Step = KeyStep.Exchange, Node = node, Former = renewed.Former, Now = renewed.Now,
                };
                foreach (string each in others.Append(context.Name))
                {
                    await Step(each, caller, exchange, stop);
                }
            }

            string what = renewsAll ? "All keys are exchanged" : $"Node {context.Name} has a new key and certificate";
            events.Add(null, "keys-rotated", $"{what}; the former ones are no longer good. Asked for by {caller.Name}.");
            return (true, $"{what}; the former ones are no longer good.", null);
        }
        catch (StepFailed failed)
        {
            return (false, failed.Message, renewsAll
                ? "everything works on; run 'mirrorctl keys rotate' again when all nodes run"
                : "everything works on; run 'mirrorctl keys renew' again when all nodes run");
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task ExchangeDatagramKeys(string[] others, Caller caller, CancellationToken stop)
    {
        // What an earlier run has left: this node's key is understood by all.
        await Everywhere(others, caller, Keys.Datagrams.Sending, stop);
        await Everywhere(others, caller, RandomNumberGenerator.GetBytes(ClusterKeys.LengthBytes), stop);
    }

    private async Task Everywhere(string[] others, Caller caller, byte[] key, CancellationToken stop)
    {
        foreach (string step in (string[])[KeyStep.Accept, KeyStep.Use, KeyStep.Settle])
        {
            foreach (string node in others.Append(context.Name))
            {
                await Step(
                    node, caller, new KeyStep { Step = step, Key = Convert.ToHexStringLower(key) }, stop);
            }
        }
    }

    private async Task<KeyStepReply> Step(string node, Caller caller, KeyStep step, CancellationToken stop)
    {
        KeyStepReply reply = node == context.Name ? Do(step)
            : await Ask(
                node, caller, HttpMethod.Post, ApiPaths.KeyStep, JsonContent.Create(step, ApiJson.Compact.KeyStep),
                ApiJson.Compact.KeyStepReply, stop);
        return reply.Succeeded ? reply
            : throw new StepFailed($"the exchange of keys stopped at '{step.Step}' on node {node}: {reply.Message}");
    }

    private async Task<T> Ask<T>(
        string node, Caller caller, HttpMethod method, string path, HttpContent? body, JsonTypeInfo<T> type, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(s_stepLimit);
        try
        {
            using HttpResponseMessage reply = await forwarder.Send(node, caller, method, path, body, limit.Token);
            return (reply.IsSuccessStatusCode ? await reply.Content.ReadFromJsonAsync(type, limit.Token) : default)
                ?? throw new StepFailed($"node {node} answers with {(int)reply.StatusCode}: is it of the same release?");
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or System.Text.Json.JsonException
            || (failed is OperationCanceledException && !stop.IsCancellationRequested))
        {
            string why = failed is OperationCanceledException
                ? $"no answer within {s_stepLimit.TotalSeconds:0} s" : (failed.InnerException ?? failed).Message.TrimEnd('.');
            throw new StepFailed($"node {node} can't be asked: {why}");
        }
    }

    private static KeyStepReply Reply(bool succeeded, string message) =>
        new() { Succeeded = succeeded, Message = succeeded ? null : message };

    private static string DigitsOf(byte[] key) => Convert.ToHexStringLower(SHA256.HashData(key))[..16];

    private sealed class StepFailed(string message) : Exception(message);
}
