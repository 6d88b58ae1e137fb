using System.Buffers.Binary;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Nbd;

/// <content>The options that carry an export's name and a list: INFO, GO, LIST_META_CONTEXT,
/// SET_META_CONTEXT.</content>
internal sealed partial class NbdSession
{
    private static ReadOnlySpan<byte> AllocationContextName => "base:allocation"u8;

    /// <summary>
    /// INFO and GO: 32-bit length of the name, name, 16-bit number of wanted informations, 16 bits for each.
    /// </summary>
    private void Inform(NbdOption option, ReadOnlySpan<byte> data)
    {
        if (!TryTakeString(ref data, out ReadOnlySpan<byte> name) || data.Length < 2
            || data.Length != 2 + (2 * BinaryPrimitives.ReadUInt16BigEndian(data)))
        {
            Refuse(option, NbdOptionReply.ErrorInvalid, "malformed data");
            return;
        }

        if (FindAvailable(option, name) is not { } export)
        {
            return;
        }

        Span<byte> info = stackalloc byte[2 + SessionLimits.ExportNameBytes];
        WriteType(info, NbdInfoType.Export);
        InfoOf(export).Encode(info[2..]);
        Reply(option, NbdOptionReply.Info, info[..(2 + NbdExportInfo.SizeBytes)]);

        if (Wants(data[2..], NbdInfoType.Name))
        {
            WriteType(info, NbdInfoType.Name);
            export.NameUtf8.CopyTo(info[2..]);
            Reply(option, NbdOptionReply.Info, info[..(2 + export.NameUtf8.Length)]);
        }

        if (Wants(data[2..], NbdInfoType.BlockSize))
        {
            WriteType(info, NbdInfoType.BlockSize);
            uint blockBytes = (uint)export.Volume.BlockBytes;
            uint preferred = Math.Max(NbdLimits.PreferredBlockBytes, blockBytes);
            new NbdBlockSizeInfo(blockBytes, preferred, NbdLimits.PayloadBytes).Encode(info[2..]);
            Reply(option, NbdOptionReply.Info, info[..(2 + NbdBlockSizeInfo.SizeBytes)]);
        }

        Reply(option, NbdOptionReply.Ack, default);
        if (option == NbdOption.Go)
        {
            Open(export);
        }
    }

    /// <summary>
    /// 32-bit length of the name, name, 32-bit number of queries, and for each 32-bit length and text. A list
    /// may ask by no query or by a prefix that ends with a colon; a choice names contexts in full.
    /// </summary>
    private void ChooseContexts(NbdOption option, ReadOnlySpan<byte> data)
    {
        bool choice = option == NbdOption.SetMetaContext;
        if (choice)
        {
            _allocationContextOf = null;
        }

        if (!_structuredReplies)
        {
            Refuse(option, NbdOptionReply.ErrorInvalid, "structured replies must be agreed on first");
            return;
        }

        if (!TryTakeString(ref data, out ReadOnlySpan<byte> name)
            || !TryReadQueries(data, choice, out bool matches))
        {
            Refuse(option, NbdOptionReply.ErrorInvalid, "malformed data");
            return;
        }

        if (_server.Find(name) is not { } export)
        {
            Refuse(option, NbdOptionReply.ErrorUnknown, "no such export");
            return;
        }

        if (matches)
        {
            Span<byte> context = stackalloc byte[4 + AllocationContextName.Length];
            BinaryPrimitives.WriteUInt32BigEndian(context, choice ? SessionLimits.AllocationContext : 0);
            AllocationContextName.CopyTo(context[4..]);
            Reply(option, NbdOptionReply.MetaContext, context);
            _allocationContextOf = choice ? export : _allocationContextOf;
        }

        Reply(option, NbdOptionReply.Ack, default);
    }

    private static bool TryReadQueries(ReadOnlySpan<byte> data, bool choice, out bool matches)
    {
        matches = false;
        if (data.Length < 4)
        {
            return false;
        }

        uint queries = BinaryPrimitives.ReadUInt32BigEndian(data);
        data = data[4..];
        matches = queries == 0 && !choice;
        for (uint i = 0; i < queries; i++)
        {
            if (!TryTakeString(ref data, out ReadOnlySpan<byte> query))
            {
                return false;
            }

            matches |= query.SequenceEqual(AllocationContextName);
            matches |= !choice && query.SequenceEqual("base:"u8);
        }

        return data.IsEmpty;
    }

    private NbdExport? FindAvailable(NbdOption option, ReadOnlySpan<byte> name)
    {
        NbdExport? export = _server.Find(name);
        if (export is null)
        {
            Refuse(option, NbdOptionReply.ErrorUnknown, "no such export");
            Report(NbdEventKind.Refused, $"no export '{Printable(name)}'");
            return null;
        }

        if (export.Volume.Unavailable is { } reason)
        {
            Refuse(option, NbdOptionReply.ErrorPolicy, reason);
            Report(NbdEventKind.Refused, $"export '{export.Volume.Name}' refused: {reason}");
            return null;
        }

        return export;
    }

    private static bool TryTakeString(ref ReadOnlySpan<byte> data, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (data.Length < 4)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(data);
        if (length > NbdLimits.StringBytes || length > data.Length - 4)
        {
            return false;
        }

        text = data.Slice(4, (int)length);
        data = data[(4 + (int)length)..];
        return true;
    }

    private static void WriteType(Span<byte> to, NbdInfoType type) =>
        BinaryPrimitives.WriteUInt16BigEndian(to, (ushort)type);

    private static bool Wants(ReadOnlySpan<byte> types, NbdInfoType type)
    {
        for (int i = 0; i < types.Length; i += 2)
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(types[i..]) == (ushort)type)
            {
                return true;
            }
        }

        return false;
    }
}
