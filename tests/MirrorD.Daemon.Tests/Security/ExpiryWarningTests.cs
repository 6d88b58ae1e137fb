using System.Security.Cryptography.X509Certificates;
using MirrorD.Configuration.Identity;
using MirrorD.Daemon.Security;

namespace MirrorD.Daemon.Tests.Security;

public sealed class ExpiryWarningTests
{
    [Theory]
    [InlineData(31, null)]
    [InlineData(29, "in 28 days: run 'mirrorctl keys renew' here")]
    [InlineData(-1, "has expired on")]
    public async Task It_warns_from_thirty_days_before_the_end_on(int days, string? expected)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using var authority = ClusterAuthority.Create(now.AddYears(-2));
        var identity = NodeIdentity.Create(
            authority, "a", Guid.NewGuid(), now.AddDays(days - 700), TimeSpan.FromDays(700));
        var security = new NodeSecurity(identity, new ClusterTrust(
            new X509Certificate2Collection(authority.Certificate), new HashSet<string>(), new Dictionary<string, string>()));
        var told = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);

        using var warning = new ExpiryWarning(security, TimeProvider.System, text => told.TrySetResult(text));

        if (expected is not null)
        {
            Assert.Contains(expected, await Within.Deadline(told.Task, "the warning"));
            return;
        }

        // The look of a second one, made after it, is over: the first one had its turn.
        var after = new TaskCompletionSource();
        using var second = new ExpiryWarning(
            new NodeSecurity(
                NodeIdentity.Create(authority, "b", Guid.NewGuid(), now.AddDays(-699), TimeSpan.FromDays(700)), security.Trust),
            TimeProvider.System, _ => after.TrySetResult());
        await Within.Deadline(after.Task, "the look of another one");
        Assert.False(told.Task.IsCompleted);
    }
}
