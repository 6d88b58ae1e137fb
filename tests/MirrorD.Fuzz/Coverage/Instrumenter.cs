using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace MirrorD.Fuzz.Coverage;

/// <summary>
/// Puts a call of <see cref="EdgeCounters.Enter"/> at the begin of each block of a compiled assembly. A block begins where
/// a jump or a handler leads, behind a jump, and at each statement, so that the same counters tell which lines ran.
/// </summary>
public sealed class Instrumenter
{
    private readonly List<BlockPlace> _places = [];

    /// <summary>Blocks so far; the place in the list is the number of the block.</summary>
    public IReadOnlyList<BlockPlace> Places => _places;

    /// <summary>Changes an assembly in its place; its .pdb stands beside it.</summary>
    /// <param name="path">The .dll.</param>
    public void Instrument(string path)
    {
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(Path.GetDirectoryName(path)!);
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location)!);
        var reading = new ReaderParameters { ReadSymbols = true, InMemory = true, AssemblyResolver = resolver };
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(path, reading);
        MethodReference enter = assembly.MainModule.ImportReference(
            typeof(EdgeCounters).GetMethod(nameof(EdgeCounters.Enter))!);
        foreach (TypeDefinition type in assembly.MainModule.GetTypes())
        {
            foreach (MethodDefinition method in type.Methods)
            {
                if (method.HasBody && method.DebugInformation.HasSequencePoints && FileOf(method) is { } file)
                {
                    Instrument(method, file, enter);
                }
            }
        }

        assembly.Write(path, new WriterParameters { WriteSymbols = false });
    }

    /// <summary>Path of a source file below the repository; null for what a generator wrote.</summary>
    private static string? FileOf(MethodDefinition method)
    {
        string url = method.DebugInformation.SequencePoints[0].Document.Url.Replace('\\', '/');
        int at = url.LastIndexOf("/src/", StringComparison.Ordinal);
        return at < 0 || url.Contains("/obj/", StringComparison.Ordinal) ? null : url[(at + 1)..];
    }

    private void Instrument(MethodDefinition method, string file, MethodReference enter)
    {
        var lines = new Dictionary<int, int>();
        foreach (SequencePoint point in method.DebugInformation.SequencePoints)
        {
            if (!point.IsHidden)
            {
                lines[point.Offset] = point.StartLine;
            }
        }

        MethodBody body = method.Body;
        HashSet<Instruction> begins = Begins(body, lines);
        Dictionary<Instruction, int> lineOf = body.Instructions
            .Where(each => lines.ContainsKey(each.Offset)).ToDictionary(each => each, each => lines[each.Offset]);
        body.SimplifyMacros();
        ILProcessor processor = body.GetILProcessor();
        foreach (Instruction begin in begins)
        {
            // The instruction itself becomes the counter, so that whatever leads to it leads to the counter.
            Instruction moved = processor.Create(OpCodes.Nop);
            moved.OpCode = begin.OpCode;
            moved.Operand = begin.Operand;
            begin.OpCode = OpCodes.Ldc_I4;
            begin.Operand = _places.Count;
            processor.InsertAfter(begin, moved);
            processor.InsertAfter(begin, processor.Create(OpCodes.Call, enter));
            _places.Add(new BlockPlace(file, lineOf.GetValueOrDefault(begin)));
        }

        body.OptimizeMacros();
    }

    private static HashSet<Instruction> Begins(MethodBody body, Dictionary<int, int> lines)
    {
        var begins = new HashSet<Instruction> { body.Instructions[0] };
        foreach (Instruction each in body.Instructions)
        {
            if (lines.ContainsKey(each.Offset))
            {
                begins.Add(each);
            }

            if (each.Operand is Instruction target)
            {
                begins.Add(target);
            }

            begins.UnionWith(each.Operand as Instruction[] ?? []);
            bool jumps = each.OpCode.FlowControl is FlowControl.Branch or FlowControl.Cond_Branch;
            if (jumps && each.Next is { } next)
            {
                begins.Add(next);
            }
        }

        foreach (ExceptionHandler handler in body.ExceptionHandlers)
        {
            begins.Add(handler.HandlerStart);
            if (handler.FilterStart is { } filter)
            {
                begins.Add(filter);
            }
        }

        // A prefix and its instruction stay together.
        begins.RemoveWhere(each => each.Previous?.OpCode.OpCodeType == OpCodeType.Prefix);
        return begins;
    }
}
