using MirrorD.Fuzz.Running;
using MirrorD.Fuzz.Targets;

namespace MirrorD.Fuzz.Tests;

/// <summary>Every real input, and every one that is committed, runs through its target.</summary>
public class CorpusTests
{
    private const int MostInputBytes = 4096;
    private const long MostCorpusBytes = 1 << 20;

    public static TheoryData<string> Targets => [.. AllTargets.List.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Nothing_is_wrong_with_what_is_known(string name)
    {
        FuzzTarget target = AllTargets.Find(name);
        using var execution = new Execution(target, current: null);
        List<byte[]> inputs = [.. target.Seeds(), .. Corpus.Load(Places.Corpus(name))];
        Assert.NotEmpty(inputs);
        foreach (byte[] input in inputs)
        {
            Failure? failure = execution.Run(input);
            Assert.True(failure is null, $"{name}: {failure?.Text}, with {Convert.ToHexStringLower(input)}");
        }
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void A_real_input_stays_as_it_is_when_it_is_made_right(string name)
    {
        // What fix-ups do is what encoders do: the first seed of a target is one that its parser accepts.
        FuzzTarget target = AllTargets.Find(name);
        byte[] seed = target.Seeds().First();
        Assert.Equal(seed, target.FixUp((byte[])seed.Clone()));
    }

    [Fact]
    public void The_corpus_is_small_and_belongs_to_targets()
    {
        string[] directories = Directory.GetDirectories(Path.GetDirectoryName(Places.Corpus("any"))!);
        Assert.All(directories, each =>
            Assert.Contains(Path.GetFileName(each), AllTargets.List.Select(target => target.Name)));
        string[] files = [.. directories.SelectMany(Directory.GetFiles)];
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.InRange(new FileInfo(file).Length, 0, MostInputBytes));
        Assert.InRange(files.Sum(file => new FileInfo(file).Length), 1, MostCorpusBytes);
    }
}
