using MirrorD.Machines;

return Commands.Run(args);
