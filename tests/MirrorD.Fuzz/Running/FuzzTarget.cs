namespace MirrorD.Fuzz.Running;

/// <summary>
/// A parser of outside bytes as the fuzzer sees it. <see cref="Run"/> returns for good and bad input alike: it catches what
/// the parser is documented to throw, and nothing else. A property of the parser that does not hold is a <see
/// cref="BrokenProperty"/>.
/// </summary>
public abstract class FuzzTarget
{
    /// <summary>Name on the command line and of the corpus' directory.</summary>
    public abstract string Name { get; }

    /// <summary>Source files of the parser, from the root of the repository: their lines are to be covered.</summary>
    public abstract IReadOnlyList<string> Files { get; }

    /// <summary>Words that the parser looks for.</summary>
    public virtual IReadOnlyList<byte[]> Words => [];

    /// <summary>Offsets of fields in a record of the input; empty: it has no fixed ones.</summary>
    public virtual IReadOnlyList<int> Fields => [];

    /// <summary>Bytes after which the fields repeat; 0: they don't.</summary>
    public virtual int RecordBytes => 0;

    /// <summary>Longest input worth a try.</summary>
    public virtual int MostBytes => 4096;

    /// <summary>True: the input is text, and its lines and words are changed as well.</summary>
    public virtual bool IsText => false;

    /// <summary>Bytes that one run may allocate. More than a parser of so long an input can need is a failure.</summary>
    public virtual long MostAllocatedBytes(int inputBytes) => 256 * 1024 + 64L * inputBytes;

    /// <summary>Real inputs, made by the product's own encoders.</summary>
    public abstract IEnumerable<byte[]> Seeds();

    /// <summary>Parses.</summary>
    public abstract void Run(byte[] input);

    /// <summary>Makes checksums, lengths and authentication right again, so that a change gets behind them.</summary>
    public virtual byte[] FixUp(byte[] input) => input;
}
