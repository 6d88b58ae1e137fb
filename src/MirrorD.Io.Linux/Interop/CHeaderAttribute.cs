namespace MirrorD.Io.Linux.Interop;

/// <summary>
/// Names the C headers that declare what a struct or a holder of constants repeats. A test turns every
/// declaration that carries it into static asserts and has the system's C compiler check them
/// (native/verify.h): size of each struct, offset and size of each field, value of each constant.
/// Fields and constants keep their C names, so that no table has to map them.
/// </summary>
[AttributeUsage(AttributeTargets.Struct | AttributeTargets.Class)]
internal sealed class CHeaderAttribute(params string[] headers) : Attribute
{
    /// <summary>Header files in the order of inclusion, as between the angle brackets.</summary>
    public string[] Headers { get; } = headers;

    /// <summary>C name of the struct when it is not "struct" and the name of the type.</summary>
    public string? Type { get; init; }
}

/// <summary>
/// The C spelling of a field or constant where it can't be the C# name; null: not in C (padding).
/// </summary>
[AttributeUsage(AttributeTargets.Field)]
internal sealed class CNameAttribute(string? name) : Attribute
{
    public string? Name { get; } = name;
}

/// <summary>
/// Kernel headers older than this do not have the declaration; with them it is not checked.
/// </summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Struct)]
internal sealed class CSinceAttribute(int major, int minor) : Attribute
{
    public int Major { get; } = major;

    public int Minor { get; } = minor;
}
