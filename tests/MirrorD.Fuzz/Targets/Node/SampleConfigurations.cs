namespace MirrorD.Fuzz.Targets.Node;

/// <summary>Configurations with every key of docs/configuration.md, and some with mistakes.</summary>
internal static class SampleConfigurations
{
    private const string Small = """
        nodes:
          a: {dedicated: {address: 10.0.0.1}}
          b: {dedicated: {address: 10.0.0.2}}
        resources:
          r: {between: [a, b], volumes: {d: {device: /dev/sdb}}}
        """;

    private const string Whole = """
        nodes:
          a:
            dedicated:
              - {address: 10.0.0.1, interface: eth1, port: 7000, heartbeat-port: 7001, call-port: 7002}
              - {address: 10.0.1.1, interface: eth2}
            production: {address: 192.0.2.1, interface: eth0, gateway: 192.0.2.254}
            resources:
              mail:
                volumes: {data: {device: /dev/sdb1/, metadata: /dev/sdc1}}
                addresses: [{address: 192.0.2.11/24, interface: eth7}]
          b:
            dedicated: [{address: 10.0.0.2}, {address: 10.0.1.2}]
            production: {address: 192.0.2.2, interface: eno1, gateway: 192.0.2.254}
        resources:
          mail:
            between: [a, b]
            volumes:
              data: {device: /dev/vg0/mail}
              log: {file: /srv/mail.log.img, metadata: internal}
            addresses: [{address: 192.0.2.10/24}, {address: 192.0.2.11/32}, {address: "2001:db8::1/64", interface: eth0}]
            on-peer-loss: continue
            autoswitch: on
            preferred-primary: a
            takeover-delay: 5s
            mode: async
            async-buffer: 16MiB
            async-lag: 5s
            link-timeout: 2.5s
            disk-timeout: none
            outdate-timeout: 2s
            release-timeout: 10s
            address-probe: {count: 3, interval: 100ms}
            prefer-connected-node: ask
            on-stop: switchover
            block-devices: nbd
            resync: by-checksum
            split-brain: discard-unchanged
            snapshot-before-resync: none
            resync-rate: 100MiB/s
            resync-rate-min: 10MiB/s
            verify-rate: 100MiB/s
            verify-schedule: Mon,Thu 01:30
            hook-timeout: 1m
            hooks:
              pre-acquire: echo one
              post-acquire: [echo two, echo three]
          web: {between: [b, a], port: 7781, volumes: {data: {device: /dev/vg0/web}}, verify-schedule: daily 03:00,
              autoswitch: off}
        arbiter: {directory: /mnt/arbiter/}
        heartbeat: {interval: 500ms, dead-after: 3s}
        notify:
          mail: [admin@example.net, root]
          command: logger mirrord
          sendmail: /usr/lib/sendmail
        """;

    private const string Wrong = """
        nodes:
          a: {dedicated: {address: 10.0.0.1, gateway: 10.0.0.9}, production: {address: "2001:db8::5", gateway: 10.0.0.9}}
          b: {dedicated: {address: 10.0.0.1}, resources: {mail: {volumes: {data: {file: /a}}}, nothing: {}}}
          -c: 5
        resources:
          mail:
            between: [a, c]
            volumse: {}
            addresses: [{address: 10.0.0.1/33}, {address: 10.0.0.1/24}, 5]
            mode: memroy
            async-lag: 2
            autoswitch: on
            hooks: {post-acquire: {}}
            verify-schedule: someday 25:00
            resync-rate: 1KiB/s
            resync-rate-min: 1TiB/s
          web:
            between: [a]
            volumes: {data: {device: /dev/sdb}, log: {device: /dev/sdb1}, both: {device: /dev/x, file: /y}}
            block-devices: sometimes
          db: {between: [a, b], volumes: {data: {device: relative}}, address-probe: {count: 11, interval: 1h}}
        arbiter: {directory: relative, more: 1}
        heartbeat: {interval: 10s, dead-after: 1s}
        notify: {mail: "no address <", command: [], sendmail: sendmail}
        notify: {}
        """;

    private const string Clashes = """
        nodes:
          a: {dedicated: {address: 10.0.0.1, port: 7779}, production: {address: 192.0.2.1, interface: eth0}}
          b: {dedicated: {address: 10.0.0.2}, production: {address: 192.0.2.2, interface: eth0}}
        resources:
          mail: {between: [a, b], volumes: {data: {device: /dev/sda}},
              addresses: [{address: 192.0.2.10/24}, {address: 192.0.2.1/24}]}
          web: {between: [a, b], volumes: {data: {device: /dev/sda1}}, addresses: [{address: 192.0.2.10/24}]}
          db: {between: [a, b],
              volumes: {data: {device: /dev/sda}, log: {device: /dev/nvme0n1}, tmp: {device: /dev/nvme0n1p2}}}
          old: {between: [a, b], volumes: {data: {device: /dev/nvme0n11}}}
        """;

    private const string MoreMistakes = """
        nodes:
          a: {dedicated: {address: 10.0.0.1}, production: {address: 192.0.2.1, interface: eth0, gateway: 192.0.2.1}}
          b: {dedicated: {address: 10.0.0.1}, production: {address: 192.0.2.2, interface: eth0, gateway: "2001:db8::1"}}
        resources:
          mail:
            between: [a, b]
            volumes: {data: {device: /dev/sda, file: /srv/a}, log: {}, "-": {device: /dev/sdb}}
            verify-rate: fast
            async-buffer: large
            resync-rate: slow
            takeover-delay: soon
            port: 0
          web:
            between: [a, b]
            volumes: {data: {device: /dev/sda, metadata: somewhere}}
            verify-rate: 1KiB/s
            async-buffer: 1KiB
            mode: async
            resync-rate: none
            preferred-primary: c
        """;

    private const string Anchors = """
        nodes: &n
          a: {dedicated: {address: 10.0.0.1}}
        resources: *n
        ? [complex]
        : value
        ---
        second: document
        """;

    /// <summary>Each a text; some with a part of conf.d behind the line that separates it.</summary>
    public static IReadOnlyList<string> All =>
    [
        Small, Whole, Wrong, Clashes, MoreMistakes, Anchors, "", "text", "[a, b]", "nodes: [", "nodes:\n\t- a",
        Small + "\n#---8<---\nresources: {r: {mode: sync}, s: {between: [a, b], port: 7781, volumes: {d: {file: /x}}}}",
        Small + "\n#---8<---\nnodes:\nresources: {r: {between: [b, a]}}\n#---8<---\narbiter: {directory: /mnt}",
        // Little else in it, so that a change meets the address, and the client that is allowed.
        "nodes: {a: {dedicated: {address: 10.0.0.1}}, b: {dedicated: {address: 10.0.0.2}}}\n"
            + "resources: {r: {between: [a, b], volumes: {v: {file: /x}}, addresses: [{address: 192.0.2.1/8, interface: e}],\n"
            + " nbd-tcp: {address: 192.0.2.1, port: 10809, allow: [vm1]}}}",
        "short".PadRight(32), "".PadRight(32),
        string.Concat(Enumerable.Repeat("[", 40)) + string.Concat(Enumerable.Repeat("]", 40)),
    ];
}
