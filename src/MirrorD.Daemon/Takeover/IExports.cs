namespace MirrorD.Daemon.Takeover;

/// <summary>The NBD exports of a resource.</summary>
internal interface IExports
{
    /// <summary>Lets clients in.</summary>
    Task Open();

    /// <summary>Ends all sessions and lets nobody in.</summary>
    Task Close();
}
