using System.Runtime.InteropServices;
using System.Text;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// A netlink message under construction: header, fixed part, attributes. In host byte order.
/// </summary>
internal sealed unsafe class NetlinkMessage
{
    private readonly byte[] _bytes = new byte[512];
    private readonly ushort _type;
    private readonly ushort _flags;
    private int _length = sizeof(nlmsghdr);

    public NetlinkMessage(ushort type, ushort flags)
    {
        _type = type;
        _flags = flags;
    }

    /// <summary>Appends the fixed part.</summary>
    public NetlinkMessage Append<T>(in T part)
        where T : unmanaged
    {
        MemoryMarshal.Write(_bytes.AsSpan(_length), in part);
        _length = Align(_length + sizeof(T));
        return this;
    }

    /// <summary>Appends an attribute.</summary>
    public NetlinkMessage Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        var header = new rtattr { rta_len = (ushort)(sizeof(rtattr) + value.Length), rta_type = type };
        MemoryMarshal.Write(_bytes.AsSpan(_length), in header);
        value.CopyTo(_bytes.AsSpan(_length + sizeof(rtattr)));
        _length = Align(_length + header.rta_len);
        return this;
    }

    /// <summary>Appends an attribute of 32 bits.</summary>
    public NetlinkMessage Attribute(ushort type, uint value) =>
        Attribute(type, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in value)));

    /// <summary>Appends an attribute of 64 bits.</summary>
    public NetlinkMessage Attribute(ushort type, ulong value) =>
        Attribute(type, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in value)));

    /// <summary>Appends a text with the zero byte that ends it.</summary>
    public NetlinkMessage Attribute(ushort type, string value) =>
        Attribute(type, [.. Encoding.UTF8.GetBytes(value), 0]);

    /// <summary>Appends an attribute that consists of those which are appended meanwhile.</summary>
    public NetlinkMessage Nest(ushort type, Action<NetlinkMessage> append)
    {
        int start = _length;
        _length += sizeof(rtattr);
        append(this);
        var header = new rtattr { rta_len = (ushort)(_length - start), rta_type = type };
        MemoryMarshal.Write(_bytes.AsSpan(start), in header);
        return this;
    }

    /// <summary>Writes the header; the bytes to send.</summary>
    public ReadOnlySpan<byte> Finish(ushort flags, uint sequence)
    {
        var header = new nlmsghdr
        {
            nlmsg_len = (uint)_length,
            nlmsg_type = _type,
            nlmsg_flags = (ushort)(_flags | flags | Netlink.NLM_F_REQUEST),
            nlmsg_seq = sequence,
        };
        MemoryMarshal.Write(_bytes, in header);
        return _bytes.AsSpan(0, _length);
    }

    /// <summary>
    /// Finds an attribute behind the fixed part of a received message; empty when it is not there.
    /// </summary>
    public static ReadOnlySpan<byte> FindAttribute(ReadOnlySpan<byte> attributes, ushort type)
    {
        while (TryTakeAttribute(ref attributes, out ushort found, out ReadOnlySpan<byte> value))
        {
            if (found == type)
            {
                return value;
            }
        }

        return default;
    }

    /// <summary>Takes the first attribute off a row of them; false when no whole one is left.</summary>
    public static bool TryTakeAttribute(
        scoped ref ReadOnlySpan<byte> rest, out ushort type, out ReadOnlySpan<byte> value)
    {
        if (!MemoryMarshal.TryRead(rest, out rtattr header)
            || header.rta_len < sizeof(rtattr) || header.rta_len > rest.Length)
        {
            type = 0;
            value = default;
            return false;
        }

        type = (ushort)(header.rta_type & ~(Netlink.NLA_F_NESTED | Netlink.NLA_F_NET_BYTEORDER));
        value = rest[sizeof(rtattr)..header.rta_len];
        rest = rest[int.Min(rest.Length, Align(header.rta_len))..];
        return true;
    }

    /// <summary>Takes the first message off what was received; false when no whole one is left.</summary>
    public static bool TryTake(
        ref ReadOnlySpan<byte> rest, out nlmsghdr header, out ReadOnlySpan<byte> body)
    {
        if (!MemoryMarshal.TryRead(rest, out header)
            || header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > rest.Length)
        {
            body = default;
            return false;
        }

        int length = (int)header.nlmsg_len;
        body = rest[sizeof(nlmsghdr)..length];
        rest = rest[int.Min(rest.Length, Align(length))..];
        return true;
    }

    /// <summary>Rounds up to where the next message or attribute begins.</summary>
    public static int Align(int lengthBytes) =>
        (lengthBytes + Netlink.NLMSG_ALIGNTO - 1) & ~(Netlink.NLMSG_ALIGNTO - 1);
}
