using System.Globalization;
using System.Net;
using MirrorD.Flood;

// A process of its own, as the descriptors of a process are limited: tests start one for each port (MirrorD.Lab, PortFlood).
if (args is not [string from, string to, string most]
    || !IPAddress.TryParse(from, out IPAddress? source)
    || !IPEndPoint.TryParse(to, out IPEndPoint? target)
    || !int.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out int connections))
{
    Console.Error.WriteLine("usage: MirrorD.Flood FROM-ADDRESS TO-ADDRESS:PORT CONNECTIONS");
    return 2;
}

var crowd = new Crowd(new IPEndPoint(source, 0), target, connections);
await crowd.KeepUp(() => Console.WriteLine($"{crowd.Begun} begun, {crowd.Connected} connected, {crowd.Closed} closed"));
return 0;
