using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MirrorD.Lab.Networks;

/// <summary>Code of the test itself that runs on a host: sockets that it makes are that host's.</summary>
public static class HostThread
{
    private const int NetworkNamespace = 0x40000000;

    /// <summary>
    /// Runs on a thread inside the host's network namespace (setns(2)) and waits for its end.
    /// </summary>
    public static void Run(Host host, Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using SafeFileHandle entry = File.OpenHandle($"/run/netns/{host.Namespace}");
                if (Enter((int)entry.DangerousGetHandle(), NetworkNamespace) != 0)
                {
                    throw new InvalidOperationException($"setns: errno {Marshal.GetLastPInvokeError()}");
                }

                action();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            throw new InvalidOperationException($"on {host.Name}: {failure.Message}", failure);
        }
    }

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static extern int Enter(int descriptor, int kind);
}
