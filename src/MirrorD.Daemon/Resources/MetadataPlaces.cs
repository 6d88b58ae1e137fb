using System.Globalization;
using MirrorD.Configuration.NodeState;
using MirrorD.Formats.Metadata;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// How large the backing devices were when their internal metadata lay at the end: enlarged since, and not grown by
/// mirrord yet, they have it still there. A small file for each volume in the state directory.
/// </summary>
/// <param name="directory">Where.</param>
/// <param name="trouble">Told of what can't be written.</param>
internal sealed class MetadataPlaces(string directory, Action<Exception> trouble)
{
    private readonly Lock _turn = new();

    /// <summary>Where the metadata lay when it was last at the end of the device; null when unknown.</summary>
    public MetadataPlacement? Last(string resource, string volume)
    {
        try
        {
            string text = File.ReadAllText(FileOf(resource, volume)).Trim();
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long deviceBytes)
                && deviceBytes >= MetadataPlacement.MinimumInternalBytes && deviceBytes <= MetadataLayout.MaximumDataBytes
                ? MetadataPlacement.Internal(deviceBytes) : null;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The metadata lies at the end of a device of this size. Returns at once; what fails is told.</summary>
    public void Note(string resource, string volume, long deviceBytes) => Task.Run(() =>
    {
        try
        {
            lock (_turn)
            {
                if (Last(resource, volume) != MetadataPlacement.Internal(deviceBytes))
                {
                    if (!Directory.Exists(directory))
                    {
                        Directory.CreateDirectory(directory);
                        DurableFile.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(directory))!);
                    }

                    DurableFile.Replace(FileOf(resource, volume), System.Text.Encoding.ASCII.GetBytes($"{deviceBytes}\n"),
                        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
                }
            }
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            trouble(failed);
        }
    });

    private string FileOf(string resource, string volume) => StateDirectory.PlaceFile(directory, resource, volume);
}
