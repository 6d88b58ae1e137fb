using MirrorD.Io;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator.Tests;

/// <summary>
/// The oracle against something simple that is known to be right, or wrong in a known way: one disk, one
/// writer that overlaps nothing, processes killed and power cut.
/// </summary>
public class OneDiskTests
{
    private const int Seeds = 60;

    [Fact]
    public void A_disk_that_keeps_its_word_is_never_accused()
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            new Run(seed).Play();
        }
    }

    [Fact]
    public void A_flush_that_is_answered_without_being_done_is_noticed() =>
        AssertNoticed(run => run.SkipsFlush = true);

    [Fact]
    public void A_durable_write_that_is_only_cached_is_noticed() =>
        AssertNoticed(run => run.SkipsDurable = true);

    [Fact]
    public void A_write_that_is_answered_without_being_done_is_noticed() =>
        AssertNoticed(run => run.LosesWrites = true);

    private static void AssertNoticed(Action<Run> sabotage)
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var run = new Run(seed);
            sabotage(run);
            try
            {
                run.Play();
            }
            catch (RuleBroken)
            {
                return;
            }
        }

        Assert.Fail($"{Seeds} seeds noticed nothing");
    }

    private sealed class Run(ulong seed)
    {
        private const int VolumeBytes = 256 * 1024;

        private readonly SimulatedWorld _world = new(seed);
        private readonly ResourceOracle _oracle = new(1, VolumeBytes);
        private readonly IoBuffer _buffer = new(16384);
        private SimulatedDisk _disk = null!;
        private SimulatedLoop _loop = null!;

        public bool SkipsFlush { get; set; }

        public bool SkipsDurable { get; set; }

        public bool LosesWrites { get; set; }

        public void Play()
        {
            _disk = _world.CreateDisk("a", "disk", VolumeBytes);
            _loop = _world.CreateLoop("a");
            for (int i = 0; i < 200; i++)
            {
                switch (_world.Random.Below(12))
                {
                    case < 6:
                        Write(interrupted: false);
                        break;
                    case < 9:
                        Read();
                        break;
                    case 9:
                        Flush();
                        break;
                    case 10:
                        Write(interrupted: true);
                        _world.CrashProcess("a");
                        _loop = _world.CreateLoop("a");
                        break;
                    default:
                        Write(interrupted: true);
                        _world.PowerCut("a");
                        _oracle.RollBack();
                        _loop = _world.CreateLoop("a");
                        break;
                }
            }
        }

        private void Write(bool interrupted)
        {
            int length = (1 + _world.Random.Below(16)) * 512;
            long offset = _world.Random.Below((VolumeBytes - length) / 4096) * 4096L;
            bool durable = _world.Random.Percent(20);
            Mutation mutation = _oracle.Submit(MutationKind.Write, 0, offset, length, durable);
            Stamp.Fill(_buffer.Span[..length], 0, offset / 512, mutation.Number);
            bool done = LosesWrites && _world.Random.Percent(5);
            if (!done)
            {
                _loop.Write(_disk, offset, _buffer.Slice(0, length), durable && !SkipsDurable,
                    new IoOperation(_ => done = true));
            }

            if (interrupted)
            {
                _world.RunUntil(() => done, _world.Random.Below(150_000L) + 1);
            }
            else
            {
                Assert.True(_world.RunUntil(() => done, 1_000_000_000));
            }

            if (done)
            {
                _oracle.Acknowledge(mutation);
            }
            else
            {
                _oracle.ServerDied([mutation]);
            }
        }

        private void Read()
        {
            int length = (1 + _world.Random.Below(32)) * 512;
            long offset = _world.Random.Below((VolumeBytes - length) / 512) * 512L;
            ReadInProgress read = _oracle.BeginRead(0, offset, length);
            bool done = false;
            _loop.Read(_disk, offset, _buffer.Slice(0, length), new IoOperation(_ => done = true));
            Assert.True(_world.RunUntil(() => done, 1_000_000_000));
            _oracle.EndRead(read, _buffer.Span[..length]);
        }

        private void Flush()
        {
            FlushInProgress flush = _oracle.BeginFlush();
            bool done = SkipsFlush;
            if (!done)
            {
                _loop.Flush(_disk, new IoOperation(_ => done = true));
            }

            Assert.True(_world.RunUntil(() => done, 1_000_000_000));
            _oracle.EndFlush(flush);
        }
    }
}
