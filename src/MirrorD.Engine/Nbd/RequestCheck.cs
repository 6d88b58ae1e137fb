using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Nbd;

/// <summary>
/// Every rule that a request must keep before any work is done for it (NBD protocol page, "Request types" and
/// "Error values").
/// </summary>
/// <param name="ExportBytes">Size of the export.</param>
/// <param name="BlockBytes">Offsets and lengths are multiples of this.</param>
/// <param name="ChunkBytes">Longest read that can be answered in one chunk.</param>
/// <param name="StructuredReplies">Structured replies were negotiated.</param>
/// <param name="AllocationContext">The context base:allocation was selected for this export.</param>
/// <param name="IsReadOnly">Nothing may be changed.</param>
public readonly record struct RequestCheck(
    ulong ExportBytes, uint BlockBytes, uint ChunkBytes, bool StructuredReplies, bool AllocationContext, bool IsReadOnly)
{
    /// <summary>Checks a request other than a disconnect.</summary>
    /// <param name="request">As it was received.</param>
    /// <param name="text">On refusal: why, for humans; else empty.</param>
    /// <returns>The error to reply, <see cref="NbdError.None"/> when the request is fine.</returns>
    public NbdError Refuse(in NbdRequestHeader request, out string text)
    {
        NbdError error = RefuseForm(request, out text);
        if (error != NbdError.None || request.Command == NbdCommand.Flush)
        {
            return error;
        }

        bool growing = request.Command is NbdCommand.Write or NbdCommand.WriteZeroes;
        if (IsReadOnly && (growing || request.Command == NbdCommand.Trim))
        {
            text = "the export is read-only";
            return NbdError.NotPermitted;
        }

        if (request.Offset > ExportBytes || request.LengthBytes > ExportBytes - request.Offset)
        {
            text = "the range reaches beyond the end of the export";
            return growing ? NbdError.NoSpace : NbdError.Invalid;
        }

        if (request.Offset % BlockBytes != 0 || request.LengthBytes % BlockBytes != 0)
        {
            text = "offset and length must be multiples of the minimum block size";
            return NbdError.Invalid;
        }

        if ((request.Flags & NbdCommandFlags.FastZero) != 0)
        {
            text = "zeroing is not known to be faster than writing here";
            return NbdError.NotSupported;
        }

        if ((request.Flags & NbdCommandFlags.DontFragment) != 0 && request.LengthBytes > ChunkBytes)
        {
            text = "the read is too long for one chunk";
            return NbdError.Overflow;
        }

        return NbdError.None;
    }

    private NbdError RefuseForm(in NbdRequestHeader request, out string text)
    {
        if (!IsKnown(request.Command))
        {
            text = "unknown command";
            return NbdError.Invalid;
        }

        if ((request.Flags & ~FlagsOf(request.Command)) != 0)
        {
            text = "a flag is unknown or does not belong to this command";
            return NbdError.Invalid;
        }

        if (request.Command is NbdCommand.Read or NbdCommand.Write
            && request.LengthBytes > NbdLimits.PayloadBytes)
        {
            text = "the payload is longer than 32 MiB";
            return NbdError.Invalid;
        }

        if (request.Command == NbdCommand.Flush && (request.Offset != 0 || request.LengthBytes != 0))
        {
            text = "offset and length of a flush must be zero";
            return NbdError.Invalid;
        }

        if (request.Command == NbdCommand.BlockStatus && (!AllocationContext || request.LengthBytes == 0))
        {
            text = AllocationContext ? "block status of nothing" : "no metadata context was selected";
            return NbdError.Invalid;
        }

        text = "";
        return NbdError.None;
    }

    private static bool IsKnown(NbdCommand command) => command <= NbdCommand.BlockStatus;

    /// <summary>FUA is allowed everywhere; where nothing is written it has nothing to do.</summary>
    private NbdCommandFlags FlagsOf(NbdCommand command) => NbdCommandFlags.ForceUnitAccess | command switch
    {
        NbdCommand.Read => StructuredReplies ? NbdCommandFlags.DontFragment : NbdCommandFlags.None,
        NbdCommand.WriteZeroes => NbdCommandFlags.NoHole | NbdCommandFlags.FastZero,
        NbdCommand.BlockStatus => NbdCommandFlags.OneExtent,
        NbdCommand.Write or NbdCommand.Disconnect or NbdCommand.Flush or NbdCommand.Trim
            or NbdCommand.Cache => NbdCommandFlags.None,
    };
}
