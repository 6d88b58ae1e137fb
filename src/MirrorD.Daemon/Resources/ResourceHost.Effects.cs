using MirrorD.Core.Failover;
using MirrorD.Engine;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// Carries out the steps around the role on threads of their own; every answer is posted to the loop.
/// </summary>
internal sealed partial class ResourceHost
{
    // Netlink answers in microseconds; what takes longer is told, and goes on.
    private static readonly TimeSpan s_addressDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_deviceDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_retryInterval = TimeSpan.FromSeconds(1);

    private CancellationTokenSource _hooksWanted = new();
    private volatile CancellationTokenSource _mayHold = new();

    /// <summary>The exports; null until the engine has loaded, when there is nothing to open or close.</summary>
    public ResourceExports? Exports { get; set; }

    public void DoElsewhere(Action work, Action done) => Answer(Task.Run(work), done);

    public void RunHooks(HookStep step, Role role, Action<string?> ended)
    {
        var wanted = _hooksWanted = new CancellationTokenSource();

        // Not on the loop: whoever starts a process waits until it runs its program, and that may wait for memory.
        Answer(Task.Run(() => hooks.Run(step, role, wanted.Token)), ended, failed => $"the {step.NameOf()} hooks: {failed}");
    }

    public void CancelHooks() => _hooksWanted.Cancel();

    public void OpenExports(Action<IReadOnlyList<string>> done)
    {
        Exports?.Open();
        Answer(devices.Open(), done, failed => [$"The block devices: {failed}"]);
    }

    public void CloseExports(Action done)
    {
        // Before the sessions: one that ends while its device is wanted would get another connection.
        Task devicesGone = devices.Close().WaitAsync(s_deviceDeadline, CancellationToken.None);
        void CloseDevices() => Answer(devicesGone, done);
        if (Exports is { } exports)
        {
            exports.Close(CloseDevices);
        }
        else
        {
            CloseDevices();
        }
    }

    public string? OpenCopies(IReadOnlyList<IVolumeFrontend> opened) => copies.Open(opened);

    public void CloseCopies(string reason) => copies.Close(reason);

    public void VolumesGrew() => Answer(devices.Grow(), () => { });

    public void FindDeviceUsers(Action<IReadOnlyList<string>> answered) =>
        Answer(devices.Users(), answered, failed => [$"the users of the block devices can't be told ({failed})"]);

    public void AddAddresses(Action<IReadOnlyList<string>> done)
    {
        var mayHold = _mayHold = new CancellationTokenSource();
        Answer(
            addresses.Acquire(mayHold.Token).WaitAsync(s_addressDeadline, CancellationToken.None), done,
            failed => [$"Adding the service addresses failed: {failed}"]);
    }

    public void RemoveAddresses(Action done)
    {
        _mayHold.Cancel();
        Answer(RemoveUntilGone(), done);
    }

    public void ProbeAddresses(Action<string?> answered) => Answer(
        questions.WhoHoldsAddresses(), answered, failed => $"nobody could be asked for the addresses ({failed})");

    public void StuckChanged(bool isStuck)
    {
        if (isStuck)
        {
            // Without the loop, which can't say it. When it moves again the resource adds them again.
            _mayHold.Cancel();
            _ = RemoveUntilGone();
        }
    }

    public void ProbeGateway(Action<GatewayEvidence> answered) =>
        Answer(questions.AskGateways(), answered, _ => GatewayEvidence.Silent);

    public void RoleRecorded(RoleRecord record) => owner.RoleRecorded(record);

    private async Task RemoveUntilGone()
    {
        while (true)
        {
            try
            {
                await addresses.Release();
                return;
            }
            catch (Exception failed)
            {
                owner.Trouble(failed);
                await Task.Delay(s_retryInterval);
            }
        }
    }

    private void Answer(Task effect, Action done) => effect.ContinueWith(
        ended =>
        {
            if (ended.Exception is { } failed)
            {
                owner.Trouble(failed);
            }

            loop.Post(done);
        },
        CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private void Answer<T>(Task<T> effect, Action<T> answered, Func<string, T> whenFailed) => effect.ContinueWith(
        ended =>
        {
            if (ended.Exception is { } failed)
            {
                owner.Trouble(failed);
            }

            T answer = ended.IsCompletedSuccessfully
                ? ended.Result
                : whenFailed(ended.Exception?.GetBaseException().Message ?? "it was ended");
            loop.Post(() => answered(answer));
        },
        CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
