namespace MirrorD.Engine.Nbd;

/// <summary>
/// Something about a client that an operator may want to read. The receiver logs it and limits the rate.
/// </summary>
/// <param name="Kind">What happened.</param>
/// <param name="Client">The other end, as the loop names it; empty where there is none.</param>
/// <param name="Export">Name of the export; empty before one was chosen.</param>
/// <param name="Text">One line without a full stop that says what and why.</param>
public readonly record struct NbdEvent(NbdEventKind Kind, string Client, string Export, string Text);
