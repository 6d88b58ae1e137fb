namespace MirrorD.Simulator.PowerCuts;

/// <summary>Whose power is cut.</summary>
public enum PowerCutVictim
{
    /// <summary>Node a, which is Primary until the switchover and after the last promotion.</summary>
    A,
    /// <summary>Node b.</summary>
    B,
    /// <summary>Both, at the same event.</summary>
    Both,
}
