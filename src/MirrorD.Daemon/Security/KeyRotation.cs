using System.Net;
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
/// Leads an exchange of the cluster's keys while everything runs. First all accept the new key of the heartbeats, then
/// all use it, then the former one ends; each node makes itself a new certificate key, and the former ones are taken
/// back. It can stop anywhere: every node then understands every other one, and running it again ends what was begun.
/// </summary>
internal sealed class KeyRotation(NodeContext context, Forwarder forwarder, EventLog events)
{
    private static readonly TimeSpan s_stepLimit = TimeSpan.FromSeconds(10);

    /// <summary>Of all steps, on the node that leads.</summary>
    private static readonly TimeSpan s_rotateLimit = TimeSpan.FromMinutes(2);

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
                    (IReadOnlyList<string> formers, string now) = Keys.Security.Renew(DateTimeOffset.UtcNow);
                    return new KeyStepReply { Succeeded = true, Formers = formers, Now = now };
                case KeyStep.Exchange when step is { Node: { } node, Former: { } old, Now: { } fresh }
                    && context.Configuration.Nodes.ContainsKey(node):
                    Keys.Security.Exchange(node, old, fresh, DateTimeOffset.UtcNow);
                    return new KeyStepReply { Succeeded = true };
                case KeyStep.Revoke when step.Former is { } back:
                    return Revoke(back);
                case KeyStep.Renewed:
                    Keys.Security.ForgetFormers();
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

    /// <summary>
    /// Exchanges all keys of all nodes. One node leads, always the same one, so that no two exchanges meet: what is asked for
    /// elsewhere is asked for there.
    /// </summary>
    /// <param name="caller">Who asked.</param>
    public async Task<(bool Succeeded, string Message, string? Remedy)> Rotate(Caller caller)
    {
        string leader = forwarder.Nodes.Append(context.Name).Min(StringComparer.Ordinal)!;
        if (leader == context.Name)
        {
            return await OneAtATime(() => RotateAll(caller), "run 'mirrorctl keys rotate' again when all nodes run");
        }

        try
        {
            CommandReply reply = await Ask(
                leader, caller, HttpMethod.Post, ApiPaths.RotateKeys, null, ApiJson.Compact.CommandReply, s_rotateLimit);
            return (reply.Succeeded, reply.Message, reply.Remedy);
        }
        catch (StepFailed failed)
        {
            return (false, failed.Message, "run it again when all nodes run");
        }
    }

    /// <summary>
    /// A new key and certificate for this node only. It has them in any case; nodes that can't be asked take the former
    /// key back at the next exchange.
    /// </summary>
    /// <param name="caller">Who asked.</param>
    public Task<(bool Succeeded, string Message, string? Remedy)> Renew(Caller caller) => OneAtATime(
        async () =>
        {
            await RenewOne(context.Name, caller);
            Tell($"Node {context.Name} has a new key and certificate", caller);
        },
        "this node has a new certificate all the same; run 'mirrorctl keys renew' again when all nodes run, so that they take its "
        + "former key back");

    /// <summary>A key is no longer good on any node; connections of a client that has shown it end.</summary>
    /// <param name="key">Its hash.</param>
    /// <param name="caller">Who asked.</param>
    public Task<(bool Succeeded, string Message, string? Remedy)> Revoke(string key, Caller caller) => OneAtATime(
        async () =>
        {
            // Each node on its own: one that can't be asked must not keep the key good on the others.
            StepFailed? failure = null;
            foreach (string node in forwarder.Nodes.Prepend(context.Name))
            {
                try
                {
                    await Step(node, caller, new KeyStep { Step = KeyStep.Revoke, Former = key });
                }
                catch (StepFailed failed)
                {
                    failure ??= failed;
                }
            }

            if (Keys.Security.Trust.IsRevoked(key))
            {
                string where = failure is null ? "" : " (not on all nodes)";
                events.Add(null, "key-revoked", $"The key {key} was taken back{where}. Asked for by {caller.Name}.");
            }

            if (failure is not null)
            {
                throw failure;
            }
        },
        "run 'mirrorctl keys revoke' again when all nodes run, so that all refuse the key",
        "Done; no node takes that key any more.");

    private KeyStepReply Revoke(string key)
    {
        string? owner = Keys.Security.Identity.Says.KeyHash == key ? context.Name
            : context.Configuration.Nodes.Keys.FirstOrDefault(node => Keys.Security.Trust.KnownKey(node) == key);
        if (owner is not null)
        {
            return Reply(false, $"that is the key of node {owner}, which 'mirrorctl keys renew' there exchanges");
        }

        Keys.Security.Revoke(key, DateTimeOffset.UtcNow);
        return new KeyStepReply { Succeeded = true };
    }

    private async Task<(bool Succeeded, string Message, string? Remedy)> OneAtATime(
        Func<Task> exchange, string again, string done = "Done; the former keys are no longer good.")
    {
        if (!await _one.WaitAsync(0))
        {
            return (false, "keys are being exchanged already", "wait for its end");
        }

        try
        {
            await exchange();
            return (true, done, null);
        }
        catch (StepFailed failed)
        {
            return (false, failed.Message, $"everything works on; {again}");
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task RotateAll(Caller caller)
    {
        string[] others = [.. forwarder.Nodes];
        foreach (string node in others)
        {
            await Ask(node, caller, HttpMethod.Get, ApiPaths.Keys, null, ApiJson.Compact.KeysReport, s_stepLimit);
        }

        await ExchangeDatagramKeys(others, caller);
        foreach (string node in others.Append(context.Name))
        {
            await RenewOne(node, caller);
        }

        Tell("All keys are exchanged", caller);
    }

    /// <summary>A new certificate for a node; it counts as done once all have taken its former keys back.</summary>
    private async Task RenewOne(string node, Caller caller)
    {
        KeyStepReply renewed = await Step(node, caller, new KeyStep { Step = KeyStep.Renew });
        StepFailed? failure = null;
        foreach (string each in forwarder.Nodes.Append(context.Name))
        {
            foreach (string former in renewed.Formers ?? [])
            {
                try
                {
                    await Step(each, caller, new KeyStep
                    {
                        Step = KeyStep.Exchange, Node = node, Former = former, Now = renewed.Now,
                    });
                }
                catch (StepFailed failed)
                {
                    failure ??= failed;
                }
            }
        }

        if (failure is not null)
        {
            throw failure;
        }

        await Step(node, caller, new KeyStep { Step = KeyStep.Renewed });
    }

    private void Tell(string what, Caller caller) => events.Add(
        null, "keys-rotated", $"{what}; the former ones are no longer good. Asked for by {caller.Name}.");

    private async Task ExchangeDatagramKeys(string[] others, Caller caller)
    {
        // What an earlier run has left: this node's key is understood by all.
        await Everywhere(others, caller, Keys.Datagrams.Sending);
        await Everywhere(others, caller, RandomNumberGenerator.GetBytes(ClusterKeys.LengthBytes));
    }

    private async Task Everywhere(string[] others, Caller caller, byte[] key)
    {
        foreach (string step in (string[])[KeyStep.Accept, KeyStep.Use, KeyStep.Settle])
        {
            foreach (string node in others.Append(context.Name))
            {
                await Step(node, caller, new KeyStep { Step = step, Key = Convert.ToHexStringLower(key) });
            }
        }
    }

    private async Task<KeyStepReply> Step(string node, Caller caller, KeyStep step)
    {
        KeyStepReply reply = node == context.Name ? Do(step)
            : await Ask(
                node, caller, HttpMethod.Post, ApiPaths.KeyStep, JsonContent.Create(step, ApiJson.Compact.KeyStep),
                ApiJson.Compact.KeyStepReply, s_stepLimit);
        return reply.Succeeded ? reply
            : throw new StepFailed($"the exchange of keys stopped at '{step.Step}' on node {node}: {reply.Message}");
    }

    private async Task<T> Ask<T>(
        string node, Caller caller, HttpMethod method, string path, HttpContent? body, JsonTypeInfo<T> type, TimeSpan limit)
    {
        using var ended = new CancellationTokenSource(limit);
        try
        {
            using HttpResponseMessage reply = await forwarder.Send(node, caller, method, path, body, ended.Token);
            bool isAnswer = reply.IsSuccessStatusCode || reply.StatusCode == HttpStatusCode.Conflict;
            return (isAnswer ? await reply.Content.ReadFromJsonAsync(type, ended.Token) : default)
                ?? throw new StepFailed($"node {node} answers with {(int)reply.StatusCode}: is it of the same release?");
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or System.Text.Json.JsonException
            or OperationCanceledException)
        {
            string why = failed is OperationCanceledException
                ? $"no answer within {limit.TotalSeconds:0} s" : (failed.InnerException ?? failed).Message.TrimEnd('.');
            throw new StepFailed($"node {node} can't be asked: {why}");
        }
    }

    private static KeyStepReply Reply(bool succeeded, string message) =>
        new() { Succeeded = succeeded, Message = succeeded ? null : message };

    private static string DigitsOf(byte[] key) => Convert.ToHexStringLower(SHA256.HashData(key))[..16];

    private sealed class StepFailed(string message) : Exception(message);
}
