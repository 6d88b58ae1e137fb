using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MirrorD.Api;
using MirrorD.Configuration.NodeState;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Node;

/// <summary>
/// Bodies of requests to the control API. The first byte of the input chooses which one. What the API itself does with them
/// is a call of the serializer and one exception.
/// </summary>
internal sealed class ApiBodyTarget : FuzzTarget
{
    public override string Name => "api-body";

    public override IReadOnlyList<string> Files => ["src/MirrorD.Api/ApiJson.cs"];

    public override bool IsText => true;

    public override IReadOnlyList<byte[]> Words => [.. new[]
    {
        "\"force\"", "\"repair\"", "\"volume\"", "\"sizeBytes\"", "\"step\"", "\"key\"", "\"node\"",
        "true", "false", "null", "1", "1e400", "-0",
            "\"\\ud800\"", "{", "}", "[",
        "\\u0000", "\"", ":", ",", "//", "\ufeff",
    }.Select(Encoding.UTF8.GetBytes)];

    public override IEnumerable<byte[]> Seeds() => new[]
    {
        "0{\"force\":true}", "1{\"repair\":true}", "2{\"volume\":\"data\",\"sizeBytes\":4096}", "2{}", "0null", "0[]",
            "0{\"force\":1}",
        "3{\"step\":\"accept\",\"key\":\"" + new string('a', 64) + "\"}",
        "3{\"step\":\"exchange\",\"node\":\"a\",\"former\":null,\"now\":\"x\"}",
        "0{\"force\":true,\"force\":true}", "2{\"sizeBytes\":9223372036854775808}", "0{\"other\":{\"a\":[1]}}",
    }.Select(Encoding.UTF8.GetBytes);

    public override void Run(byte[] input)
    {
        byte[] body = input.Length == 0 ? input : input[1..];
        switch (input.Length == 0 ? 0 : input[0] == '3' ? 3 : input[0] % 3)
        {
            case 0:
                Check(body, ApiJson.Compact.PromoteRequest, read => (read.Force, null, null));
                break;
            case 1:
                Check(body, ApiJson.Compact.VerifyRequest, read => (read.Repair, null, null));
                break;
            case 3:
                Check(body, ApiJson.Compact.KeyStep, null);
                break;
            default:
                Check(body, ApiJson.Indented.ResizeRequest, read => (false, read.Volume, read.SizeBytes));
                break;
        }
    }

    private static void Check<T>(
        byte[] body, JsonTypeInfo<T> type, Func<T, (bool Flag, string? Text, long? Number)>? valuesOf)
        where T : class
    {
        T? request;
        try
        {
            request = JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            return;
        }

        if (request is null)
        {
            return;
        }

        if (request is KeyStep step)
        {
            // Without "step" its name is null: generated code sets members that are only set at the beginning, given or not.
            BrokenProperty.Unless(ClusterKeys.Parse(step.Key ?? "") is null or { Length: ClusterKeys.LengthBytes },
                "a key has its length");
        }

        T? again = JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(request, type), type);
        BrokenProperty.Unless(request.Equals(again), "written and read again it is the same (round trip)");
        using JsonDocument document = JsonDocument.Parse(body);
        var (flag, text, number) = (false, (string?)null, (long?)null);
        var names = new HashSet<string>();
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            if (!type.Properties.Any(each => property.NameEquals(each.Name)))
            {
                continue;
            }

            BrokenProperty.Unless(names.Add(property.Name), "no member stands there twice");
            flag |= property.Value.ValueKind == JsonValueKind.True;
            text = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : text;
            number = property.Value.ValueKind == JsonValueKind.Number ? property.Value.GetInt64() : number;
        }

        BrokenProperty.Unless(valuesOf is null || valuesOf(request) == (flag, text, number), "values are those of the body");
    }
}
