using CommandLine;

namespace MirrorD.Control.Verbs;

/// <summary>A command on one resource.</summary>
internal abstract class ResourceVerb : DaemonVerb
{
    [Value(0, Required = true, MetaName = "resource", HelpText = "Name of the resource.")]
    public string Resource { get; set; } = "";
}
