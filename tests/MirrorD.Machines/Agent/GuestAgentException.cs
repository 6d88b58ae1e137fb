namespace MirrorD.Machines.Agent;

/// <summary>
/// The agent of a machine refused a request, e.g. since a file is not there, or did not answer.
/// </summary>
public sealed class GuestAgentException(string message) : Exception(message);
