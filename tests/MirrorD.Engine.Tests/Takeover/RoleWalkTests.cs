using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Engine.Takeover;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Takeover;

/// <summary>
/// Commands, losses, roles handed over and withdrawals in any order, with answers of engine and host after any time:
/// addresses are here or on their way only while the engine is Primary (invariant 17), and all commands end.
/// </summary>
public class RoleWalkTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Addresses_are_held_only_by_a_Primary_in_whatever_order_things_end(ulong part)
    {
        for (ulong seed = part * 1000; seed < (part * 1000) + 300; seed++)
        {
            new Walk(seed).Run();
        }
    }

    /// <summary>One random history. The engine is a role and nothing else.</summary>
    private sealed class Walk : IResourceHost, IRoleEngine
    {
        private const long Millisecond = 1_000_000;

        private readonly ulong _seed;
        private readonly SimulatedWorld _world;
        private readonly SimulatedLoop _loop;
        private readonly SeededRandom _random;
        private readonly RoleSequence _sequence;
        private readonly List<string> _history = [];
        private Action<string?>? _hooks;
        private Role _role = Role.Standby;
        private bool _exportsOpen;
        private bool _isStopped;
        private int _removals;
        private int _addressChanges;
        private int _openCommands;
        private int _losses;
        private int _lossesTold;

        // From the call that adds them to the call that removes them.
        private bool _addressesWanted;

        // Really on the interface.
        private bool _addressesHere;

        public Walk(ulong seed)
        {
            _seed = seed;
            _world = new SimulatedWorld(seed);
            _loop = _world.CreateLoop("a");
            _random = _world.Random.Fork();
            HasArbiter = _random.Percent(50);
            var endpoint = new TcpEndpoint(System.Net.IPAddress.Loopback, 7780);
            var options = new ResourceOptions
            {
                Name = "mail",
                NodeName = "a",
                Node = new NodeId(new Guid(1, 2, 3, new byte[8])),
                Boot = new BootId(new Guid(1, 2, 3, new byte[8])),
                PeerName = "b",
                Volumes = [],
                Listen = endpoint,
                Connect = endpoint,
                Security = new Testing.SharedSecret(new byte[32]),
                ReleaseTimeoutMs = 2000,
            };
            _sequence = new RoleSequence(_loop, options, this, this, () => { });
        }

        public bool HasArbiter { get; }

        Role IRoleEngine.Role => _role;

        public void Run()
        {
            for (int i = 0; i < 60; i++)
            {
                OnLoop(Happen);
                Pass(_random.Between(0, 400));
            }

            // A peer that never hands over is waited for 120 s, and so by one more command that had to wait for a loss.
            Pass(260_000);
            Require(_openCommands == 0, "every command ends");
            Require(_sequence.Step is null, "nothing runs for ever");
            Require(_addressesHere == _addressesWanted, "what was wanted last is what is");
            Require(_exportsOpen == (_role == Role.Primary), "what a Primary has is open, and nothing else");
            Require(_exportsOpen || !_addressesHere, "addresses lead to something");
            Require(_lossesTold <= _losses, "a loss is told at most once");
            OnLoop(() => Command(new ResourceCommand.Stop(HandsOver: _random.Percent(50))));
            Pass(20_000);
            Require(_openCommands == 0 && _isStopped, "the stop ends");
            Require(!_addressesHere && !_exportsOpen, "a stop leaves nothing behind");
        }

        private void Happen()
        {
            switch (_random.Below(10))
            {
                case 0 or 1:
                    Command(new ResourceCommand.Promote(_random.Percent(20)));
                    break;
                case 2:
                    Command(new ResourceCommand.Demote());
                    break;
                case 3:
                    Command(new ResourceCommand.Switchover());
                    break;
                case 4 or 5:
                    _openCommands++;
                    _sequence.TakeOver(
                        RoleRecordKind.Takeover, "b is lost", _loop.NowNs,
                        () => _role == Role.Primary || _random.Percent(10) ? "vetoed" : null, _ => _openCommands--);
                    break;
                case 6 when _role == Role.Primary:
                    _losses++;
                    Become(Role.Standby);
                    break;
                case 6:
                    Become(Role.Primary);
                    break;
                case 7:
                    _sequence.PeerRequestsRole();
                    break;
                case 8:
                    _sequence.WithdrawAddresses("isolated");
                    break;
                default:
                    _sequence.RestoreAddresses();
                    break;
            }
        }

        private void Command(ResourceCommand command)
        {
            _history.Add($"command {command}");
            _openCommands++;
            bool hasEnded = false;
            _sequence.Command(command, outcome =>
            {
                Require(!hasEnded, "a command ends once");
                hasEnded = true;
                _openCommands--;
                _history.Add($"{command}: {outcome.Message}");
            });
        }

        private void Become(Role role)
        {
            _history.Add($"role {role}");
            _role = role;
            _sequence.RoleChanged(role, "it happened");
            Look();
        }

        CommandOutcome? IRoleEngine.RefusalOf(ResourceCommand command) =>
            _random.Percent(10) ? new CommandOutcome(false, "refused at once") : null;

        void IRoleEngine.Run(ResourceCommand command, Action<CommandOutcome> answered)
        {
            _history.Add($"engine {command}");
            bool gains = command is ResourceCommand.Promote or ResourceCommand.RequestRole;
            Require(gains || _role == Role.Standby || (!_addressesHere && !_addressesWanted),
                "the addresses go before the role does");
            _isStopped |= command is ResourceCommand.Stop;
            if (command is ResourceCommand.RequestRole && _random.Percent(10))
            {
                // Never answered.
                return;
            }

            After(300, () =>
            {
                if (command is not ResourceCommand.Stop && _random.Percent(20))
                {
                    _history.Add($"engine refuses {command}");
                    answered(new CommandOutcome(false, "refused"));
                    return;
                }

                Role before = _role;
                _history.Add($"engine carries out {command} as {_role}");
                _role = gains ? Role.Primary : Role.Standby;
                if (!gains && before != _role)
                {
                    _sequence.RoleChanged(_role, "by command");
                }

                answered(new CommandOutcome(true, "done"));
                if (gains && before != _role)
                {
                    _sequence.RoleChanged(_role, "by command");
                }
            });
        }

        void IRoleEngine.RefuseRole(string reason)
        {
        }

        void IResourceHost.RunHooks(HookStep step, Role role, Action<string?> ended)
        {
            Require(_hooks is null, "one step of hooks at a time");
            _history.Add($"hooks {step} as {role}");
            _hooks = ended;
            After(500, () => EndHooks(ended, _random.Percent(10) ? "a hook failed" : null));
        }

        void IResourceHost.CancelHooks()
        {
            Action<string?>? ended = _hooks;
            _loop.Post(() => EndHooks(ended, "ended"));
        }

        void IResourceHost.OpenExports(Action<IReadOnlyList<string>> done)
        {
            Require(_role == Role.Primary, "only a Primary opens its exports");
            _history.Add("open exports");
            _exportsOpen = true;
            After(50, () => done(_random.Percent(10) ? ["a device failed."] : []));
        }

        void IResourceHost.FindDeviceUsers(Action<IReadOnlyList<string>> answered) =>
            After(50, () => answered(_random.Percent(20) ? ["a device is mounted"] : []));

        void IResourceHost.CloseExports(Action done)
        {
            _history.Add("close exports");
            _exportsOpen = false;
            After(100, done);
        }

        void IResourceHost.AddAddresses(Action<IReadOnlyList<string>> done)
        {
            Require(_removals == 0, "nothing is added before what is removed is gone");
            _history.Add("add addresses");
            _addressesWanted = true;
            int change = ++_addressChanges;
            After(200, () =>
            {
                _addressesHere |= change == _addressChanges;
                done(_random.Percent(10) ? ["one failed."] : []);
            });
        }

        void IResourceHost.RemoveAddresses(Action done)
        {
            _history.Add("remove addresses");
            _addressesWanted = false;
            _addressChanges++;
            _removals++;
            After(_random.Percent(10) ? 4000 : 200, () =>
            {
                _removals--;
                _addressesHere &= _addressesWanted;
                done();
            });
        }

        void IResourceHost.ProbeAddresses(Action<string?> answered)
        {
            string? holder = _random.Percent(30) ? "192.0.2.7 is held by b" : null;
            After(400, () => answered(holder));
        }

        void IResourceHost.ProbeGateway(Action<GatewayEvidence> answered) =>
            throw new NotSupportedException();

        void IResourceHost.StuckChanged(bool isStuck) => throw new NotSupportedException();

        void IResourceHost.RoleRecorded(RoleRecord record) =>
            Require(record.Phases.All(phase => phase.TookNs >= 0), "no phase ends before it begins");

        void IResourceHost.Raise(ResourceEvent happened)
        {
            _history.Add($"event {happened.Kind}");
            _lossesTold += happened.Kind == "right-lost" ? 1 : 0;
        }

        void IResourceHost.Publish(ResourceStatus status)
        {
        }

        void IResourceHost.ClaimSession(
            string resource, SessionId session, NodeId node, Action<ArbiterAnswer> answered) =>
            throw new NotSupportedException();

        ulong IResourceHost.NewIdentifier() => throw new NotSupportedException();

        void IResourceHost.FillRandom(Span<byte> bytes) => throw new NotSupportedException();

        public void DoElsewhere(Action work, Action done) => throw new NotSupportedException();

        private void EndHooks(Action<string?>? ended, string? failure)
        {
            if (_hooks is not null && _hooks == ended)
            {
                _hooks = null;
                ended!(failure);
            }
        }

        private void After(long atMostMs, Action action) =>
            _world.Schedule(_random.Between(0, atMostMs * Millisecond), () => OnLoop(action));

        private void OnLoop(Action action) => _loop.Post(() =>
        {
            action();
            Look();
        });

        private void Look() => Require(
            !_addressesWanted || _role == Role.Primary, "addresses are here or coming only at a Primary");

        private void Pass(long ms)
        {
            bool hasPassed = false;
            _world.Schedule(ms * Millisecond, () => hasPassed = true);
            _world.RunUntil(() => hasPassed, ms * Millisecond);
        }

        private void Require(bool holds, string rule) => Assert.True(
            holds, $"seed {_seed}: {rule}\n{string.Join('\n', _history.TakeLast(60))}");
    }
}
