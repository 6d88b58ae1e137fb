using System.Net;
using System.Net.Sockets;

namespace MirrorD.Configuration.Reading;

/// <summary>Addresses in the one way in which people write them.</summary>
internal static class Addresses
{
    /// <summary>
    /// The address; null when it is none. "10.1" and "0x0a000001", which the library takes, are none here.
    /// </summary>
    public static IPAddress? Parse(string text)
    {
        if (!IPAddress.TryParse(text, out IPAddress? address))
        {
            return null;
        }

        return address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != text
            ? null
            : address;
    }

    /// <summary>"IPv4" or "IPv6".</summary>
    public static string Family(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
}
