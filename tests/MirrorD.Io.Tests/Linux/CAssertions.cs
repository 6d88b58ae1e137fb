using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Tests.Linux;

/// <summary>Writes what a declaration claims about the C headers as lines of native/verify.h.</summary>
internal static class CAssertions
{
    private const BindingFlags Everything = BindingFlags.Public | BindingFlags.NonPublic
        | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>A whole C file for one struct or holder of constants.</summary>
    public static string FileFor(Type declaration) =>
        FileFor(declaration, declaration.GetCustomAttribute<CHeaderAttribute>()!);

    public static string FileFor(Type declaration, CHeaderAttribute header)
    {
        var text = new StringBuilder("#define _GNU_SOURCE\n");
        foreach (string name in header.Headers)
        {
            text.Append(CultureInfo.InvariantCulture, $"#include <{name}>\n");
        }

        text.Append("#include \"verify.h\"\n");
        AppendSince(text, declaration.GetCustomAttribute<CSinceAttribute>(), () =>
        {
            if (declaration.IsValueType)
            {
                AppendStruct(text, declaration, header.Type ?? $"struct {declaration.Name}");
            }

            AppendConstants(text, declaration);
        });
        return text.ToString();
    }

    private static void AppendStruct(StringBuilder text, Type declaration, string name)
    {
        text.Append(CultureInfo.InvariantCulture, $"MIRRORD_SIZE({name}, {Marshal.SizeOf(declaration)});\n");
        foreach (FieldInfo field in declaration.GetFields(Everything).Where(field => !field.IsStatic))
        {
            if (NameInC(field) is { } nameInC)
            {
                int offset = (int)Marshal.OffsetOf(declaration, field.Name);
                int bytes = Marshal.SizeOf(field.FieldType);
                AppendSince(text, field.GetCustomAttribute<CSinceAttribute>(), () => text.Append(
                    CultureInfo.InvariantCulture, $"MIRRORD_FIELD({name}, {nameInC}, {offset}, {bytes});\n"));
            }
        }
    }

    private static void AppendConstants(StringBuilder text, Type declaration)
    {
        foreach (FieldInfo field in declaration.GetFields(Everything).Where(field => field.IsStatic))
        {
            if (NameInC(field) is { } nameInC && !field.FieldType.IsPointer)
            {
                long value = Convert.ToInt64(field.GetValue(null), CultureInfo.InvariantCulture);
                AppendSince(text, field.GetCustomAttribute<CSinceAttribute>(), () => text.Append(
                    CultureInfo.InvariantCulture, $"MIRRORD_CONSTANT({nameInC}, {value});\n"));
            }
        }
    }

    private static string? NameInC(FieldInfo field) =>
        field.GetCustomAttribute<CNameAttribute>() is { } other ? other.Name : field.Name;

    private static void AppendSince(StringBuilder text, CSinceAttribute? since, Action append)
    {
        if (since is null)
        {
            append();
            return;
        }

        text.Append(
            CultureInfo.InvariantCulture, $"#if MIRRORD_HEADERS_HAVE({since.Major}, {since.Minor})\n");
        append();
        text.Append("#endif\n");
    }
}
