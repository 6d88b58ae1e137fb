using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>Random requests of several pipelining clients, each compared with a plain array.</summary>
public sealed class RandomWorkloadTests
{
    private const int RegionBytes = 8 << 20;
    private const int Depth = 6;

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 16)]
    [InlineData(3, 64)]
    public void Clients_read_what_they_wrote(int seed, int slots)
    {
        using var world = new NbdWorld(slots: slots, seed: (ulong)seed);
        var random = new Random(seed);
        NbdClient[] clients = [.. Enumerable.Range(0, 4).Select(i => world.Open(structured: i % 2 == 0))];
        byte[][] models = [.. clients.Select(_ => new byte[RegionBytes])];
        for (int round = 0; round < 25; round++)
        {
            List<Sent>[] sent = [.. clients.Select(
                (client, i) => SendRound(client, i * RegionBytes, models[i], random))];
            for (int i = 0; i < clients.Length; i++)
            {
                CheckRound(clients[i], sent[i], models[i]);
            }
        }

        for (int i = 0; i < clients.Length; i++)
        {
            Assert.Equal(models[i], world.DiskBytesAt(i * RegionBytes, RegionBytes));
        }
    }

    /// <summary>Requests for ranges that do not overlap, each in a part of the region of its own.</summary>
    private static List<Sent> SendRound(NbdClient client, long regionOffset, byte[] model, Random random)
    {
        const int PartBytes = RegionBytes / Depth / 512 * 512;
        var sent = new List<Sent>();
        for (int i = 0; i < Depth; i++)
        {
            int begin = (i * PartBytes) + (random.Next(0, 200) * 512);
            int most = random.Next(2) == 0 ? 64 : (PartBytes / 512) - 200;
            int length = random.Next(1, most) * 512;
            NbdCommand command = random.Next(3) switch
            {
                0 => NbdCommand.Write,
                1 => NbdCommand.Read,
                _ => random.Next(3) == 0 ? NbdCommand.WriteZeroes : NbdCommand.Write,
            };
            byte[]? data = null;
            if (command == NbdCommand.Write)
            {
                data = new byte[length];
                random.NextBytes(data);
                data.CopyTo(model, begin);
            }
            else if (command == NbdCommand.WriteZeroes)
            {
                model.AsSpan(begin, length).Clear();
            }

            ulong cookie = client.Send(command, (ulong)(regionOffset + begin), (uint)length, 0, data);
            sent.Add(new Sent(cookie, command, begin, length));
        }

        return sent;
    }

    private static void CheckRound(NbdClient client, List<Sent> sent, byte[] model)
    {
        for (int i = 0; i < Depth; i++)
        {
            Answer answer = client.TakeAnswer();
            Sent request = Assert.Single(sent, one => one.Cookie == answer.Cookie);
            Assert.Equal(NbdError.None, answer.Error);
            if (request.Command == NbdCommand.Read)
            {
                byte[] expected = model[request.Begin..(request.Begin + request.Length)];
                bool equal = expected.AsSpan().SequenceEqual(answer.Data);
                Assert.True(equal, $"read of {request} got other bytes");
            }
        }
    }

    private sealed record Sent(ulong Cookie, NbdCommand Command, int Begin, int Length);
}
