using System.Reflection;
using System.Runtime.Loader;
using MirrorD.Fuzz.Coverage;
using MirrorD.Fuzz.Mutation;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Tests;

/// <summary>The fuzzer itself, on a small parser with a bug behind a magic and a length.</summary>
public class FuzzerTests
{
    [Fact]
    public void The_same_seed_gives_the_same_inputs()
    {
        Assert.Equal(Inputs(7), Inputs(7));
        Assert.NotEqual(Inputs(7), Inputs(8));
    }

    [Fact]
    public void What_fails_is_found_and_made_small()
    {
        var target = new FragileTarget();
        using var execution = new Execution(target, current: null);
        var fuzzer = new Fuzzer(target, execution, seed: 1);
        fuzzer.Begin(target.Seeds());
        fuzzer.Run(TimeSpan.FromMinutes(1), untilFailure: true);

        (byte[] input, Failure failure) = Assert.Single(fuzzer.Failures);
        Assert.Contains("IndexOutOfRange", failure.Kind);
        byte[] small = Minimiser.Shrink(target, execution, input, failure);
        Assert.Equal(failure.Kind, execution.Run(small)?.Kind);
        Assert.Equal(3, small.Length);
    }

    [Fact]
    public void Memory_out_of_proportion_is_a_failure()
    {
        using var execution = new Execution(new FragileTarget(), current: null);
        Assert.Null(execution.Run([1]));
        Assert.Equal("allocation", execution.Run([(byte)'m'])?.Kind);
    }

    [Fact]
    public void An_input_that_is_left_behind_is_known()
    {
        string file = Path.Combine(Directory.CreateDirectory(Places.Out).FullName, $"current-test-{Environment.ProcessId}");
        try
        {
            using (var current = new CurrentInput(file, mostCpuMs: 60_000))
            {
                current.Begin([1, 2, 3]);
                current.End();
                Assert.Null(CurrentInput.Left(file));
                current.Begin([4, 5]);
            }

            Assert.Equal([4, 5], CurrentInput.Left(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>
    /// The real instrumentation on the real formats: other lines of the decoder run for another input, and the copy still
    /// decodes.
    /// </summary>
    [Fact]
    public void Instrumented_code_counts_its_edges_and_does_what_it_did()
    {
        string directory = Directory.CreateDirectory(
            Path.Combine(Places.Out, $"instrumenter-test-{Environment.ProcessId}")).FullName;
        var context = new AssemblyLoadContext("instrumented", isCollectible: true);
        try
        {
            string copy = Path.Combine(directory, "MirrorD.Formats.dll");
            File.Copy(Path.Combine(AppContext.BaseDirectory, "MirrorD.Formats.dll"), copy);
            File.Copy(Path.Combine(AppContext.BaseDirectory, "MirrorD.Formats.pdb"), Path.ChangeExtension(copy, "pdb"));
            var instrumenter = new Instrumenter();
            instrumenter.Instrument(copy);
            Assert.Contains(instrumenter.Places, place => place is { File: "src/MirrorD.Formats/Crc32C.cs", Line: > 0 });

            MethodInfo compute = context.LoadFromAssemblyPath(copy).GetType("MirrorD.Formats.Crc32C")!.GetMethod("Compute")!;
            var crc = compute.CreateDelegate<ComputeCrc>();
            EdgeCounters.Clear();
            Assert.Equal(0xe3069283, crc("123456789"u8));
            int edges = EdgesTaken();
            EdgeCounters.Clear();
            Assert.Equal(0u, crc([]));
            Assert.InRange(EdgesTaken(), 1, edges - 1);
        }
        finally
        {
            context.Unload();
            Directory.Delete(directory, recursive: true);
        }
    }

    private delegate uint ComputeCrc(ReadOnlySpan<byte> bytes);

    private static int EdgesTaken() => EdgeCounters.Edges.Length - EdgeCounters.Edges.Count((byte)0);

    private static List<byte[]> Inputs(ulong seed)
    {
        var mutator = new Mutator(new Draw(seed), 64, ["word"u8.ToArray()], [0, 4]);
        return [.. Enumerable.Range(0, 200).Select(_ => mutator.Mutate([1, 2, 3, 4, 5, 6, 7, 8], [9, 10]))];
    }

    private sealed class FragileTarget : FuzzTarget
    {
        private static byte[]? s_kept;

        public override string Name => "fragile";

        public override IReadOnlyList<string> Files => [];

        public override IReadOnlyList<byte[]> Words => ["ab"u8.ToArray()];

        public override IEnumerable<byte[]> Seeds() => [[0, 0, 0, 0, 0, 0, 0, 0]];

        public override void Run(byte[] input)
        {
            if (input.AsSpan().StartsWith("m"u8))
            {
                s_kept = new byte[8 << 20];
            }
            else if (input.AsSpan().StartsWith("ab"u8) && input.Length >= 3)
            {
                s_kept = [input[2 + input[^1]]];
            }
        }
    }
}
