using System.Globalization;

namespace MirrorD.Daemon.Security;

/// <summary>
/// Warns while the certificate of this node is about to expire: 30 days before its end, then every day. It ends nothing.
/// </summary>
internal sealed class ExpiryWarning : IDisposable
{
    /// <summary>So long before the end the first one comes.</summary>
    public static readonly TimeSpan Before = TimeSpan.FromDays(30);

    private static readonly TimeSpan s_every = TimeSpan.FromDays(1);

    private readonly NodeSecurity _security;
    private readonly TimeProvider _time;
    private readonly Action<string> _warn;
    private readonly ITimer _timer;

    /// <summary>Looks now, and every day.</summary>
    /// <param name="security">Whose certificate.</param>
    /// <param name="time">The clock.</param>
    /// <param name="warn">Gets the warning, as a sentence.</param>
    public ExpiryWarning(NodeSecurity security, TimeProvider time, Action<string> warn)
    {
        _security = security;
        _time = time;
        _warn = warn;
        _timer = time.CreateTimer(_ => Look(), null, TimeSpan.Zero, s_every);
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        DateTimeOffset end = _security.Identity.Says.NotAfter;
        TimeSpan left = end - _time.GetUtcNow();
        if (left > Before)
        {
            return;
        }

        string when = end.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        _warn(left > TimeSpan.Zero
            ? $"The certificate of this node expires on {when}, in {(int)left.TotalDays} days: run 'mirrorctl keys renew' here."
            : $"The certificate of this node has expired on {when}. What runs goes on, and nodes that know its key let it in; a "
                + "node that does not know it yet will not. Run 'mirrorctl keys renew' here.");
    }
}
