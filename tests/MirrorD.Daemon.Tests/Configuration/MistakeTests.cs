using MirrorD.Configuration;

namespace MirrorD.Daemon.Tests.Configuration;

/// <summary>Each mistake gets its own message, with the line and what to do about it.</summary>
public class MistakeTests
{
    /// <summary>A good file; each case replaces or adds lines of it.</summary>
    private const string Good = """
        nodes:
          a:
            dedicated: {address: 10.0.0.1, interface: eth1}
            production: {address: 192.0.2.1, interface: eth0}
          b:
            dedicated: {address: 10.0.0.2, interface: eth1}
            production: {address: 192.0.2.2, interface: eth0}
        resources:
          mail:
            between: [a, b]
            volumes:
              data: {device: /dev/vg0/mail}
            addresses:
              - {address: 192.0.2.10/24}
        """;

    public static TheoryData<string, string, string> OneLineReplaced => new()
    {
        // line of Good, its replacement, the error
        { "3", "    dedicated: {adress: 10.0.0.1, interface: eth1}",
            "m.yaml:3: unknown key 'adress' in nodes.a.dedicated; did you mean 'address'?\n" +
            "m.yaml:3: nodes.a.dedicated has no 'address'; add e.g. 'address: 10.0.0.1'" },
        { "3", "    dedicated: {address: 10.0.0.300}",
            "m.yaml:3: nodes.a.dedicated.address: '10.0.0.300' is not an IP address; write one such as " +
            "10.0.0.1" },
        { "3", "    dedicated: {address: 10.1}",
            "m.yaml:3: nodes.a.dedicated.address: '10.1' is not an IP address; write one such as 10.0.0.1" },
        { "3", "    dedicated: {address: 10.0.0.1/24}",
            "m.yaml:3: nodes.a.dedicated.address: '10.0.0.1/24' has a prefix length; " +
            "write the node's own address alone: 10.0.0.1" },
        { "3", "    dedicated: 10.0.0.1",
            "m.yaml:3: nodes.a.dedicated: the value '10.0.0.1' stands here where a mapping is expected; " +
            "write e.g. 'dedicated: {address: 10.0.0.1, interface: eth1}'" },
        { "3", "    dedicated: {address: [10.0.0.1]}",
            "m.yaml:3: nodes.a.dedicated.address: a list stands here where a single value is expected; " +
            "write e.g. 'address: 10.0.0.1'" },
        { "3", "    dedicated: {address: 10.0.0.1, port: 99999}",
            "m.yaml:3: nodes.a.dedicated.port: '99999' is not a TCP port; write a number from 1 to 65535" },
        { "3", "    dedicated: {address: 10.0.0.2}",
            "m.yaml:6: address 10.0.0.2 of node b is already that of node a (m.yaml:3); give each its own " +
            "address" },
        { "3", "    dedicated: {address: fd00::1}",
            "m.yaml:10: resources.mail: the dedicated addresses of a and b are of different families " +
            "(IPv6 and IPv4); give both nodes an address of the same family" },
        { "3", "    dedicated:",
            "m.yaml:3: nodes.a has no 'dedicated'; add e.g. 'dedicated: {address: 10.0.0.1, interface: " +
            "eth1}'" },
        { "2", "  -a:",
            "m.yaml:2: '-a' can't be the name of a node; use up to 63 letters, digits, '-', '_' and '.', " +
            "beginning with a letter or digit\n" +
            "m.yaml:10: resources.mail.between: there is no node 'a'; did you mean '-a'?" },
        { "5", "  a:",
            "m.yaml:5: key 'a' stands here a second time; keep one; the first is in line 2\n" +
            "m.yaml:10: resources.mail.between: there is no node 'b'; did you mean 'a'?" },
        { "4", "    production: {address: 192.0.2.1, port: 5}",
            "m.yaml:4: unknown key 'port' in nodes.a.production; the valid keys are address, interface, " +
            "gateway, heartbeat-port, call-port" },
        { "4", "    production: {address: 192.0.2.1, interface: eth0, call-port: x}",
            "m.yaml:4: nodes.a.production.call-port: 'x' is not a TCP port; write a number from 1 to 65535" },
        { "4", "    production: {address: 192.0.2.1}",
            "m.yaml:14: node a has no interface for the service address 192.0.2.10; " +
            "add 'interface' here, or 'production: {address: …, interface: …}' to nodes.a" },
        { "4", "    io: aio",
            "m.yaml:4: nodes.a.io: 'aio' is not a way of input and output; write 'auto', 'uring' or 'epoll'" },
        { "4", "    oi: epoll",
            "m.yaml:4: unknown key 'oi' in nodes.a; did you mean 'io'?" },
        { "8", "resource:",
            "m.yaml:8: unknown key 'resource' in the configuration; did you mean 'resources'?" },
        { "8", "Resources:",
            "m.yaml:8: unknown key 'Resources' in the configuration; did you mean 'resources'?" },
        { "9", "  ma/il:",
            "m.yaml:9: 'ma/il' can't be the name of a resource; use up to 63 letters, digits, '-', '_' and " +
            "'.', " +
            "beginning with a letter or digit" },
        { "10", "    between: [a, c]",
            "m.yaml:10: resources.mail.between: there is no node 'c'; did you mean 'a'?" },
        { "10", "    between: [c, a, a]",
            "m.yaml:10: resources.mail.between: there is no node 'c'; did you mean 'a'?" },
        { "10", "    between: [a, a]",
            "m.yaml:10: resources.mail.between: a resource is between exactly two different nodes; " +
            "write e.g. 'between: [a, b]'" },
        { "10", "    between: a",
            "m.yaml:10: resources.mail.between: a resource is between exactly two different nodes; " +
            "write e.g. 'between: [a, b]'" },
        { "10", "    mode: sync",
            "m.yaml:9: resources.mail has no 'between'; add e.g. 'between: [a, b]'" },
        { "10", "    between: [a, {b: 1}]",
            "m.yaml:10: resources.mail.between: a mapping stands here where a node name is expected; " +
            "write e.g. 'between: [a, b]'" },
        { "12", "      data: {device: vg0/mail}",
            "m.yaml:12: resources.mail.volumes.data.device: 'vg0/mail' is not an absolute path; " +
            "write one such as /dev/vg0/data" },
        { "12", "      data: {device: /dev/sdb, file: /srv/x}",
            "m.yaml:12: resources.mail.volumes.data.file: both 'device' and 'file' are given; keep one of " +
            "the two" },
        { "12", "      data: {metadata: internal}",
            "m.yaml:12: resources.mail.volumes.data has no 'device' or 'file' on node a; " +
            "add e.g. 'device: /dev/vg0/data' here, or under nodes.a.resources.mail.volumes.data\n" +
            "m.yaml:12: resources.mail.volumes.data has no 'device' or 'file' on node b; " +
            "add e.g. 'device: /dev/vg0/data' here, or under nodes.b.resources.mail.volumes.data" },
        { "12", "      data: {device: /dev/sdb, metadata: external}",
            "m.yaml:12: resources.mail.volumes.data.metadata: 'external' is not an absolute path; " +
            "write one such as /dev/vg0/data-meta" },
        { "12", "      data: {device: /dev/sdb, metadata: /dev/sdb}",
            "m.yaml:12: node a: /dev/sdb is already used by resource mail (m.yaml:12); " +
            "give each volume and each metadata area its own device or file" },
        { "12", "      data: {device: /dev/sdb, metadata: /dev/sdb1}",
            "m.yaml:12: node a: /dev/sdb1 overlaps /dev/sdb of resource mail (m.yaml:12); " +
            "use either the whole disk or its partitions" },
        { "12", "      data: {device: /dev/nvme0n1p2, metadata: /dev/nvme0n1}",
            "m.yaml:12: node a: /dev/nvme0n1 overlaps /dev/nvme0n1p2 of resource mail (m.yaml:12); " +
            "use either the whole disk or its partitions" },
        { "12", "      data: {device: /dev/sda1, metadata: /dev/sda10}", "" },
        { "14", "      - 192.0.2.10/24",
            "m.yaml:14: resources.mail.addresses: the value '192.0.2.10/24' stands here where a mapping is " +
            "expected; write e.g. 'addresses: [{address: 192.0.2.10/24}]'" },
        { "14", "      - {address: 192.0.2.10}",
            "m.yaml:14: resources.mail.addresses.address: '192.0.2.10' has no prefix length; " +
            "write e.g. 192.0.2.10/24" },
        { "14", "      - {address: 192.0.2.10/33}",
            "m.yaml:14: resources.mail.addresses.address: '/33' is not an IPv4 prefix length; write 1 to " +
            "32, e.g. /24" },
        { "14", "      - {address: fd00::5}",
            "m.yaml:14: resources.mail.addresses.address: 'fd00::5' has no prefix length; " +
            "write e.g. fd00::5/64" },
        { "14", "      - {address: fd00::5/129}",
            "m.yaml:14: resources.mail.addresses.address: '/129' is not an IPv6 prefix length; write 1 to " +
            "128, e.g. /64" },
        { "14", "      - {address: fd00::5/0}",
            "m.yaml:14: resources.mail.addresses.address: '/0' is not an IPv6 prefix length; write 1 to " +
            "128, e.g. /64" },
        { "14", "      - {address: '::ffff:192.0.2.10/64'}",
            "m.yaml:14: resources.mail.addresses.address: '::ffff:192.0.2.10/64' is not an IP address with " +
            "prefix length; write one such as 192.0.2.10/24" },
        { "14", "      - {address: 'fe80::5%eth0/64'}",
            "m.yaml:14: resources.mail.addresses.address: 'fe80::5%eth0/64' is not an IP address with " +
            "prefix length; write one such as 192.0.2.10/24" },
        { "4", "    production: {address: 192.0.2.1, interface: eth0, gateway: router}",
            "m.yaml:4: nodes.a.production.gateway: 'router' is not an IP address; write one such as " +
            "192.0.2.254" },
        { "4", "    production: {address: 192.0.2.1, interface: eth0, gateway: fd00::1}",
            "m.yaml:4: nodes.a.production.gateway: fd00::1 is IPv6, but the node's address 192.0.2.1 is " +
            "IPv4; name the gateway in the family of the address" },
        { "4", "    production: {address: 192.0.2.1, interface: eth0, gateway: 192.0.2.1}",
            "m.yaml:4: nodes.a.production.gateway: 192.0.2.1 is the node's own address, which always " +
            "answers; name another host of that network, e.g. its router" },
        { "4", "    production: {address: 192.0.2.1, interface: eth0, heartbeat-port: 0}",
            "m.yaml:4: nodes.a.production.heartbeat-port: '0' is not a UDP port; write a number from 1 to " +
            "65535" },
        { "3", "    dedicated: {address: 10.0.0.1, gateway: 10.0.0.254}",
            "m.yaml:3: unknown key 'gateway' in nodes.a.dedicated; the valid keys are address, interface, " +
            "port, heartbeat-port, call-port" },
        { "14", "      - {address: 192.0.2.2/24}",
            "m.yaml:14: address 192.0.2.2 of resource mail is already that of node b (m.yaml:7); " +
            "give each its own address" },
    };

    public static TheoryData<string, string> LineAdded => new()
    {
        { "    on-peer-loss: auto", "" },
        { "    on-peer-loss: wait",
            "m.yaml:15: resources.mail.on-peer-loss: 'wait' is not a policy; write 'auto' (with a " +
            "gateway), 'freeze' (safe) or 'continue' (the copies may diverge)" },
        { "    split-brain: discard-standby", "" },
        { "    split-brain: auto",
            "m.yaml:15: resources.mail.split-brain: 'auto' is not a policy; write 'manual' (an operator decides), " +
            "'discard-unchanged' or 'discard-standby' (loses what only it has)" },
        { "    autoswitch: maybe",
            "m.yaml:15: resources.mail.autoswitch: 'maybe' is not a choice; write 'on' or 'off'" },
        { "    autoswitch: on",
            "m.yaml:15: resources.mail.autoswitch: the resource has no arbiter and no gateway, so a " +
            "standby can't tell a dead Primary from a cut network; configure 'arbiter', or a 'gateway' on " +
            "a production network of both nodes, or write 'off'" },
        { "    autoswitch: off", "" },
        { "    autoswitch: on\narbiter: {directory: /mnt/arbiter}", "" },
        { "    preferred-primary: c",
            "m.yaml:15: resources.mail.preferred-primary: 'c' is not a node of the pair; write a or b, or " +
            "leave it out" },
        { "    takeover-delay: 6m",
            "m.yaml:15: resources.mail.takeover-delay: 6m is out of range; write 0s to 5m" },
        { "    outdate-timeout: 50ms",
            "m.yaml:15: resources.mail.outdate-timeout: 50ms is out of range; write 100ms to 1m" },
        { "    release-timeout: 1h",
            "m.yaml:15: resources.mail.release-timeout: 1h is out of range; write 100ms to 10m" },
        { "    address-probe: {count: 11}",
            "m.yaml:15: resources.mail.address-probe.count: '11' is not a number from 0 to 10; write e.g. 3" },
        { "    address-probe: {interval: 3s}",
            "m.yaml:15: resources.mail.address-probe.interval: 3s is out of range; write 10ms to 2s" },
        { "    address-probe: {counts: 3}",
            "m.yaml:15: unknown key 'counts' in resources.mail.address-probe; did you mean 'count'?" },
        { "    address-probe: 3",
            "m.yaml:15: resources.mail.address-probe: the value '3' stands here where a mapping is " +
            "expected; write e.g. 'address-probe: {count: 3, interval: 100ms}'" },
        { "    prefer-connected-node: never",
            "m.yaml:15: resources.mail.prefer-connected-node: 'never' is not a choice; write 'auto' or " +
            "'ask'" },
        { "    on-stop: halt",
            "m.yaml:15: resources.mail.on-stop: 'halt' is not a choice; write 'stop' or 'switchover'" },
        { "heartbeat: {interval: 20ms}",
            "m.yaml:15: heartbeat.interval: 20ms is out of range; write 50ms to 10s" },
        { "heartbeat: {interval: 2s}",
            "m.yaml:15: heartbeat.dead-after: 3000 ms are less than three intervals of 2000 ms; write at " +
            "least 6000ms, or a shorter 'interval'" },
        { "heartbeat: {interval: 1s, dead-after: 2.9s}",
            "m.yaml:15: heartbeat.dead-after: 2900 ms are less than three intervals of 1000 ms; write at " +
            "least 3000ms, or a shorter 'interval'" },
        { "heartbeat: {dead-after: 6m}",
            "m.yaml:15: heartbeat.dead-after: 6m is out of range; write 150ms to 5m" },
        { "heartbeat: 1s",
            "m.yaml:15: heartbeat: the value '1s' stands here where a mapping is expected; " +
            "write e.g. 'heartbeat: {interval: 500ms, dead-after: 3s}'" },
        { "notify: {mail: 'a@b.net, c@d.net'}",
            "m.yaml:15: notify.mail: 'a@b.net, c@d.net' is not a bare mail address; " +
            "write one such as admin@example.net, or the name of a local user" },
        { "notify: {mail: [\"root\\nBcc: x@y\"]}",
            "m.yaml:15: notify.mail: 'root\nBcc: x@y' is not a bare mail address; " +
            "write one such as admin@example.net, or the name of a local user" },
        { "notify: {mail: -X/tmp/log}",
            "m.yaml:15: notify.mail: '-X/tmp/log' is not a bare mail address; " +
            "write one such as admin@example.net, or the name of a local user" },
        { "notify: {mail: [[root]]}",
            "m.yaml:15: notify.mail: a list stands here where a mail address is expected; " +
            "write e.g. 'mail: admin@example.net'" },
        { "notify: {command: [{run: x}]}",
            "m.yaml:15: notify.command: a mapping stands here where a command is expected; " +
            "write e.g. 'command: /usr/local/bin/page-operator'" },
        { "notify: {sendmail: msmtp}",
            "m.yaml:15: notify.sendmail: 'msmtp' is not an absolute path; write one such as " +
            "/usr/sbin/sendmail" },
        { "notify: {mails: root}",
            "m.yaml:15: unknown key 'mails' in notify; did you mean 'mail'?" },
        { "    on_peer_loss: freeze",
            "m.yaml:15: unknown key 'on_peer_loss' in resources.mail; did you mean 'on-peer-loss'?" },
        { "    mode: fast",
            "m.yaml:15: resources.mail.mode: 'fast' is not a replication mode; write 'sync', 'memory' or 'async'" },
        { "    mode: memory\n    async-buffer: 4MiB",
            "m.yaml:16: resources.mail.async-buffer: it has a meaning in mode async only; write 'mode: async', or leave " +
            "it out" },
        { "    async-lag: 1s",
            "m.yaml:15: resources.mail.async-lag: it has a meaning in mode async only; write 'mode: async', or leave " +
            "it out" },
        { "    mode: async\n    async-buffer: 4",
            "m.yaml:16: resources.mail.async-buffer: '4' is not a size; write a number with its unit, e.g. 16MiB" },
        { "    mode: async\n    async-buffer: 2GiB",
            "m.yaml:16: resources.mail.async-buffer: 2GiB is out of range; write 1MiB to 1GiB: it is held in memory" },
        { "    mode: async\n    async-lag: 1h",
            "m.yaml:16: resources.mail.async-lag: 1h is out of range; write 100ms to 1m" },
        { "    link-timeout: 5",
            "m.yaml:15: resources.mail.link-timeout: '5' is not a duration; " +
            "write a number with its unit (ms, s, m, h), e.g. 5s" },
        { "    link-timeout: 5h",
            "m.yaml:15: resources.mail.link-timeout: 5h is out of range; write 500ms to 5m" },
        { "    resync: always",
            "m.yaml:15: resources.mail.resync: 'always' is not a way to resync; write 'copy' or 'by-checksum'" },
        { "    resync-rate: 1MiB/s\n    resync-rate-min: 2MiB/s",
            "m.yaml:16: resources.mail.resync-rate-min: it is above 'resync-rate'; " +
            "write a lower rate, or raise 'resync-rate'" },
        { "    resync-rate: 100MiB",
            "m.yaml:15: resources.mail.resync-rate: '100MiB' is not a rate; " +
            "write a size per second, e.g. 100MiB/s, or none" },
        { "    resync-rate: 1KiB/s",
            "m.yaml:15: resources.mail.resync-rate: 1KiB/s is out of range; " +
            "write at least 128KiB/s, or none for no limit" },
        { "    hooks: {pre-aquire: [true]}",
            "m.yaml:15: unknown key 'pre-aquire' in resources.mail.hooks; did you mean 'pre-acquire'?" },
        { "    hooks: {pre-acquire: [{run: x}]}",
            "m.yaml:15: resources.mail.hooks.pre-acquire: a mapping stands here where a command is " +
            "expected; " +
            "write e.g. 'pre-acquire: [systemctl start postgresql]'" },
        { "    hook-timeout: 1ms",
            "m.yaml:15: resources.mail.hook-timeout: 1ms is out of range; write 1s to 1h" },
        { "arbiter: {directory: relative}",
            "m.yaml:15: arbiter.directory: 'relative' is not an absolute path; write one such as " +
            "/mnt/arbiter" },
        { "arbiter: {}",
            "m.yaml:15: arbiter has no 'directory'; add e.g. 'directory: /mnt/arbiter'" },
        { "arbiter: /mnt/arbiter",
            "m.yaml:15: arbiter: the value '/mnt/arbiter' stands here where a mapping is expected; " +
            "write e.g. 'arbiter: {directory: /mnt/arbiter}'" },
        { "  web: {between: [b, a], volumes: {data: {device: /dev/vg0/web}}}",
            "m.yaml:15: node a: the links of resources mail and web both use port 7780; " +
            "add 'port: 7781' to resources.web" },
        { "  web: {between: [b, a], port: 7781, volumes: {data: {device: /dev/vg0/mail}}}",
            "m.yaml:15: node a: /dev/vg0/mail is already used by resource mail (m.yaml:12); " +
            "give each volume and each metadata area its own device or file" },
        { "  web: {between: [b, a], port: 7779, volumes: {data: {device: /dev/vg0/web}}}",
            "m.yaml:15: node a: the link of resource web uses port 7779, which is the 'call-port' at " +
            "10.0.0.1; give resources.web another 'port', or the network another 'call-port'" },
        { "  web: {between: [b, a], port: 7781}",
            "m.yaml:15: resources.web has no 'volumes'; add e.g. 'volumes: {data: {device: " +
            "/dev/vg0/data}}'" },
        { "  web: [b, a]",
            "m.yaml:15: resources.web: a list stands here where a mapping is expected; " +
            "write e.g. 'web: {between: [a, b], volumes: {data: {device: /dev/vg0/data}}}'" },
        { "    volumes: {more: {device: /dev/sdb}}",
            "m.yaml:15: key 'volumes' stands here a second time; keep one; the first is in line 11" },
        { "    port: &p 7781",
            "m.yaml:15: anchors are not supported; write the value out" },
        { "---\nnodes: {}",
            "m.yaml:15: a second YAML document begins here; keep one document per file; put more into " +
            "conf.d/" },
    };

    public static TheoryData<string, string> UnderNodeA => new()
    {
        { "{resources: {maill: {volumes: {data: {device: /dev/sdb}}}}}",
            "n.yaml:1: nodes.a.resources: there is no resource 'maill'; did you mean 'mail'?" },
        { "{resources: {mail: {volumes: {date: {device: /dev/sdb}}}}}",
            "n.yaml:1: nodes.a.resources.mail.volumes: the resource has no volume 'date'; did you mean " +
            "'data'?" },
        { "{resources: {mail: {volumes: {data: {devise: /dev/sdb}}}}}",
            "n.yaml:1: unknown key 'devise' in nodes.a.resources.mail.volumes.data; did you mean 'device'?" },
        { "{resources: {mail: {hooks: {}}}}",
            "n.yaml:1: unknown key 'hooks' in nodes.a.resources.mail; the valid keys are volumes, " +
            "addresses" },
        { "{resources: {mail: {addresses: [{address: 192.0.2.11/24, interface: eth5}]}}}",
            "n.yaml:1: nodes.a.resources.mail.addresses.address: the resource has no service address " +
            "192.0.2.11; " +
            "name one of the addresses under the resource itself" },
        { "{dedicated: {address: 10.0.0.9}}",
            "n.yaml:1: key 'address' is already given in m.yaml:3; keep one of the two" },
    };

    [Theory]
    [MemberData(nameof(OneLineReplaced))]
    public void A_mistake_in_a_line_is_named(string line, string replacement, string errors)
    {
        string[] lines = Good.Split('\n');
        lines[int.Parse(line) - 1] = replacement;

        Assert.Equal(errors, ErrorsOf(string.Join('\n', lines)));
    }

    [Theory]
    [MemberData(nameof(LineAdded))]
    public void A_mistake_in_an_added_line_is_named(string added, string errors) =>
        Assert.Equal(errors, ErrorsOf(Good + "\n" + added));

    [Theory]
    [InlineData("nodes: [", "m.yaml:2: not valid YAML:")]
    [InlineData("nodes:\n\ta: 1", "m.yaml:1: not valid YAML:")]
    [InlineData("nodes:\n  a: {\nb", "m.yaml:2: not valid YAML: what stands here or below can't be read; check quotes")]
    [InlineData("nodes: {a: {}\nb", "m.yaml:1: not valid YAML: what stands here or below can't be read; check quotes")]
    [InlineData("nodes: !![", "m.yaml:1: not valid YAML: what stands here or below can't be read; check quotes")]
    [InlineData("- nodes", "m.yaml:1: a list stands here where a mapping is expected; begin with 'nodes:'")]
    [InlineData("", "m.yaml: the configuration has no 'nodes'; add e.g. 'nodes: {a:")]
    [InlineData("# nothing\n", "m.yaml: the configuration has no 'nodes'; add e.g. 'nodes: {a:")]
    [InlineData("{? [a] : b}", "m.yaml:1: a list can't be a key; a key is a plain word")]
    [InlineData("nodes: {a: *b}", "m.yaml:1: ")]
    public void What_is_no_configuration_at_all_is_told(string text, string beginsWith) =>
        Assert.StartsWith(beginsWith, ErrorsOf(text));

    [Fact]
    public void All_mistakes_are_shown_at_once_in_the_order_of_the_file()
    {
        string text = Good
            .Replace("10.0.0.1,", "10.0.0.300,")
            .Replace("between", "betwen")
            .Replace("10/24", "10/99");

        Assert.Equal(
            ["m.yaml:3", "m.yaml:9", "m.yaml:10"],
            ErrorsOf(text).Split('\n').Select(error => error.Split(": ")[0]).Take(3));
    }

    [Theory]
    [MemberData(nameof(UnderNodeA))]
    public void A_mistake_in_what_a_node_says_differently_is_named(string nodeA, string errors)
    {
        ConfigurationResult result = ConfigurationFile.Parse(
            ("m.yaml", Good), ("n.yaml", $"nodes: {{a: {nodeA}}}"));

        Assert.Equal(errors, string.Join('\n', result.Errors));
    }

    [Fact]
    public void Deeply_nested_input_is_refused()
    {
        string text = new('[', 5000);

        Assert.Contains("nested too deeply", ErrorsOf(text));
    }

    private static string ErrorsOf(string text) =>
        string.Join('\n', ConfigurationFile.Parse(("m.yaml", text)).Errors);
}
