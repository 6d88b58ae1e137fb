using System.Net;
using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Tests.Linux;

public sealed partial class ServiceAddressTests
{
    private static readonly IPAddress V4 = IPAddress.Parse("10.98.1.10");
    private static readonly IPAddress V6 = IPAddress.Parse("fd00:98::10");

    [RootFact("ip")]
    public void An_added_address_is_there_and_adding_it_again_changes_nothing()
    {
        using var host = new NetworkNamespace();
        host.AddInterface("prod");
        InterfaceAddress[] both = [new("prod", V4, 32), new("prod", V6, 128)];
        foreach (InterfaceAddress address in both)
        {
            host.Run(() =>
            {
                Assert.True(ServiceAddress.Add(address));
                Assert.False(ServiceAddress.Add(address));
                Assert.Contains(address, ServiceAddress.List());
            });
            string shown = host.Ip("-j", "addr", "show", "dev", "prod");
            string expected = $"\"local\":\"{address.Address}\",\"prefixlen\":{address.PrefixLengthBits}";
            Assert.Contains(expected, shown, StringComparison.Ordinal);
        }

        // Usable at once: v6 skips duplicate address detection.
        string usable = host.Ip("-j", "addr", "show", "dev", "prod", "scope", "global");
        Assert.DoesNotContain("tentative", usable, StringComparison.Ordinal);
    }

    [RootFact("ip")]
    public void A_removed_address_is_gone_whatever_its_prefix_and_removing_it_again_changes_nothing()
    {
        using var host = new NetworkNamespace();
        host.AddInterface("prod");
        host.Ip("addr", "add", $"{V4}/24", "dev", "prod");
        host.Ip("addr", "add", $"{V4}/32", "dev", "prod");
        host.Ip("addr", "add", "10.98.1.11/24", "dev", "prod");
        host.Ip("addr", "add", $"{V6}/64", "dev", "prod");
        host.Run(() =>
        {
            foreach (IPAddress address in new[] { V4, V6 })
            {
                Assert.True(ServiceAddress.Remove("prod", address));
                Assert.False(ServiceAddress.Remove("prod", address));
                Assert.DoesNotContain(ServiceAddress.List(), found => found.Address.Equals(address));
            }
        });
        string shown = host.Ip("-j", "addr", "show", "dev", "prod");
        Assert.DoesNotContain($"\"{V4}\"", shown, StringComparison.Ordinal);
        Assert.DoesNotContain($"\"{V6}\"", shown, StringComparison.Ordinal);
    }

    [RootFact("ip")]
    public void An_interface_that_does_not_exist_is_named()
    {
        using var host = new NetworkNamespace();
        host.Run(() =>
        {
            IOException refusal =
                Assert.Throws<IOException>(() => ServiceAddress.Add(new InterfaceAddress("absent", V4, 32)));
            Assert.Contains("absent", refusal.Message, StringComparison.Ordinal);
            Assert.False(ServiceAddress.Remove("absent", V4)); // What is not there need not go.
        });
    }

    [RootFact("ip")]
    public void Without_the_right_the_missing_capability_is_named()
    {
        using var host = new NetworkNamespace();
        host.AddInterface("prod");
        host.Run(() =>
        {
            DropRightsOfThisThread();
            IOException refusal =
                Assert.Throws<IOException>(() => ServiceAddress.Add(new InterfaceAddress("prod", V4, 32)));
            Assert.Contains("CAP_NET_ADMIN", refusal.Message, StringComparison.Ordinal);
            refusal = Assert.Throws<IOException>(() => AddressAnnouncer.Announce("prod", V4));
            Assert.Contains("CAP_NET_RAW", refusal.Message, StringComparison.Ordinal);
            refusal = Assert.Throws<IOException>(
                () => NeighbourProbe.WhoHas("prod", V4, CancellationToken.None));
            Assert.Contains("CAP_NET_RAW", refusal.Message, StringComparison.Ordinal);
        });
    }

    [RootFact("ip")]
    public void An_interface_without_IPv6_is_named_with_the_remedy()
    {
        using var host = new NetworkNamespace();
        host.AddInterface("prod");
        host.Run(() =>
        {
            File.WriteAllText("/proc/sys/net/ipv6/conf/prod/disable_ipv6", "1");
            IOException refusal =
                Assert.Throws<IOException>(() => ServiceAddress.Add(new InterfaceAddress("prod", V6, 128)));
            Assert.Contains(
                "'sysctl net.ipv6.conf.prod.disable_ipv6=0'", refusal.Message, StringComparison.Ordinal);
            Assert.False(ServiceAddress.Remove("prod", V6));
        });
    }

    [RootFact("ip")]
    public void Hundreds_of_addresses_are_all_listed()
    {
        using var host = new NetworkNamespace();
        host.Run(() =>
        {
            int before = ServiceAddress.List().Count;
            for (int i = 0; i < 600; i++)
            {
                var address = new IPAddress([10, 97, (byte)(i / 250), (byte)(i % 250)]);
                Assert.True(ServiceAddress.Add(new InterfaceAddress("lo", address, 32)));
            }

            Assert.Equal(before + 600, ServiceAddress.List().Count);
        });
    }

    private static void DropRightsOfThisThread()
    {
        // The system call itself concerns one thread; the C library's wrapper would change the whole process.
        nint setresuid = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 147 : 117;
        const int nobody = 65534;
        Assert.Equal(0, syscall(setresuid, -1, nobody, -1));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);
}
