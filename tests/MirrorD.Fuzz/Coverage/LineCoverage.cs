using System.Globalization;

namespace MirrorD.Fuzz.Coverage;

/// <summary>
/// Which lines of source files ran, by the blocks that were entered. A line counts when one statement of it ran.
/// </summary>
public sealed class LineCoverage
{
    private readonly List<BlockPlace> _places;

    private LineCoverage(List<BlockPlace> places) => _places = places;

    /// <summary>Keeps the places of the blocks beside the instrumented assemblies.</summary>
    public static void Store(string path, IReadOnlyList<BlockPlace> places) => File.WriteAllLines(
        path, places.Select(place => $"{place.Line.ToString(CultureInfo.InvariantCulture)} {place.File}"));

    /// <summary>Reads what <see cref="Store"/> has kept.</summary>
    public static LineCoverage Load(string path) => new([.. File.ReadLines(path).Select(line =>
        new BlockPlace(line[(line.IndexOf(' ') + 1)..],
            int.Parse(line[..line.IndexOf(' ')], CultureInfo.InvariantCulture)))]);

    /// <summary>Lines with a statement in a file, and those of them that ran; both ascending.</summary>
    public (int[] All, int[] Ran) Of(string file)
    {
        var all = new SortedSet<int>();
        var ran = new SortedSet<int>();
        ReadOnlySpan<byte> blocks = EdgeCounters.Blocks;
        for (int block = 0; block < _places.Count; block++)
        {
            if (_places[block].Line > 0 && _places[block].File == file)
            {
                all.Add(_places[block].Line);
                if (blocks[block] != 0)
                {
                    ran.Add(_places[block].Line);
                }
            }
        }

        return ([.. all], [.. ran]);
    }
}
