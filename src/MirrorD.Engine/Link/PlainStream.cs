using MirrorD.Io;

namespace MirrorD.Engine.Link;

/// <summary>Bytes as they are.</summary>
/// <param name="loop">The loop.</param>
/// <param name="connection">The connection; this stream closes it.</param>
/// <param name="early">What was received already.</param>
internal sealed class PlainStream(IIoLoop loop, IConnection connection, ReadOnlyMemory<byte> early) : LinkStream
{
    private readonly IoOperation _rest = new(static rest => ((PlainStream)rest.State!).RestReceived());
    private ReadOnlyMemory<byte> _early = early;
    private int _taken;
    private IoOperation? _receiving;

    public override bool IsEncrypted => false;

    public override void Receive(BufferSlice into, int minimumBytes, IoOperation operation)
    {
        if (_early.IsEmpty)
        {
            loop.Receive(connection, into, minimumBytes, operation);
            return;
        }

        operation.Begin(OperationKind.Receive);
        _receiving = operation;
        _taken = Math.Min(_early.Length, into.LengthBytes);
        _early.Span[.._taken].CopyTo(into.Span);
        _early = _early[_taken..];
        if (_taken >= minimumBytes)
        {
            loop.Post(() => End(_taken));
            return;
        }

        _rest.State = this;
        loop.Receive(connection, into.Slice(_taken, into.LengthBytes - _taken), minimumBytes - _taken, _rest);
    }

    public override void Send(BufferSlice from, IoOperation operation) => loop.Send(connection, from, operation);

    public override void Close() => connection.Close();

    public override void Dispose()
    {
    }

    private void RestReceived() => End(_rest.Result < 0 ? _rest.Result : _taken + _rest.Result);

    private void End(int result)
    {
        IoOperation ended = _receiving!;
        _receiving = null;
        ended.Complete(result);
    }
}
