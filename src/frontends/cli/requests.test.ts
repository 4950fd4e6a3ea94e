// Command lines and the requests that they make.

import { describe, expect, test } from "bun:test"
import { call, requestOf } from "./testing/world.ts"

/** line, request */
type Table = readonly (readonly [string, unknown])[]

function check(table: Table): void {
  for (const [line, want] of table) {
    test(line, async () => {
      const request: unknown = await requestOf(...line.split(" "))
      expect(request).toEqual(want)
    })
  }
}

describe("network create", () => {
  check([
    ["network create web", { name: "web" }],
    [
      "network create web -d macvlan --parent eth0 --mode vepa",
      { name: "web", driver: "macvlan", parent: "eth0", mode: "vepa" },
    ],
    ["network create --driver=bridge web", { name: "web", driver: "bridge" }],
    [
      "network create web --subnet 10.9.0.0/24 --subnet=fd09::/64",
      { name: "web", subnets: [{ prefix: "10.9.0.0/24" }, { prefix: "fd09::/64" }] },
    ],
    [
      "network create web --gateway fd09::9 --gateway 10.9.0.9 --subnet 10.9.0.0/24 --subnet fd09::/64",
      {
        name: "web",
        subnets: [
          { prefix: "10.9.0.0/24", gateway: "10.9.0.9" },
          { prefix: "fd09::/64", gateway: "fd09::9" },
        ],
      },
    ],
    [
      "network create web --subnet 10.9.0.0/24 --ip-range 10.9.0.128/25 --reserve 10.9.0.200 --aux-address router=10.9.0.201",
      {
        name: "web",
        subnets: [{ prefix: "10.9.0.0/24", range: "10.9.0.128/25", reserved: ["10.9.0.200", "10.9.0.201"] }],
      },
    ],
    ["network create web --ipv6 --no-ipv4", { name: "web", ipv6: true, ipv4: false }],
    ["network create web --ipv6=false", { name: "web", ipv6: false }],
    ["network create web --mtu 1400", { name: "web", mtu: 1400 }],
    ["network create web --bridge br9", { name: "web", bridge: "br9" }],
    ["network create web --adopt br9", { name: "web", adopt: "br9" }],
    ["network create web --internal", { name: "web", internal: true }],
    ["network create web --gateway-mode isolated", { name: "web", gatewayMode: "isolated" }],
    ["network create web --no-nat", { name: "web", gatewayMode: "routed" }],
    ["network create web --nat", { name: "web", gatewayMode: "nat" }],
    ["network create web --no-icc", { name: "web", icc: false }],
    ["network create web --icc=false", { name: "web", icc: false }],
    ["network create web --icc", { name: "web", icc: true }],
    [
      "network create web --isolation open --outbound 192.0.2.9 --outbound 2001:db8::9",
      { name: "web", isolation: "open", outbound: ["192.0.2.9", "2001:db8::9"] },
    ],
    ["network create web --no-masquerade", { name: "web", masquerade: false }],
    ["network create web --no-default-route --metric 20", { name: "web", defaultRoute: false, metric: 20 }],
    ["network create web --container-ifname lan", { name: "web", containerIfname: "lan" }],
    ["network create web --label a=1 -l b --label c=x=y", { name: "web", labels: { a: "1", b: "", c: "x=y" } }],
    ["-o json network create web", { name: "web" }],
    ["network --debug create -q web", { name: "web" }],
  ])
})

describe("other networks commands", () => {
  check([
    ["network ls", undefined],
    ["network list -o json", undefined],
    ["network inspect web", "web"],
    ["network rm web", "web"],
    ["network remove -f web", "web"],
    ["network prune", {}],
    ["network prune --label ci -l a=b -f", { labels: ["ci", "a=b"] }],
    ["network connect db api", { network: "db", container: "api" }],
    [
      "network connect db api --ip 10.9.0.9 --ip6 fd09::9 --mac 02:00:00:00:00:09 --ifname eth7 --priority -5 --alias a --alias b",
      {
        network: "db",
        container: "api",
        addresses: ["10.9.0.9", "fd09::9"],
        mac: "02:00:00:00:00:09",
        ifname: "eth7",
        gatewayPriority: -5,
        aliases: ["a", "b"],
      },
    ],
    [
      "network connect db api --mac-address 02:00:00:00:00:09 --gw-priority=3",
      { network: "db", container: "api", mac: "02:00:00:00:00:09", gatewayPriority: 3 },
    ],
    ["network disconnect db api", { network: "db", container: "api" }],
    ["network update web --mtu 1400", { network: "web", mtu: 1400 }],
    [
      "network update web --no-internal --icc --no-nat",
      { network: "web", internal: false, icc: true, gatewayMode: "routed" },
    ],
    ["network update web --gateway-mode nat", { network: "web", gatewayMode: "nat" }],
    [
      "network update web --subnet fd09::/64 --gateway fd09::9",
      { network: "web", addSubnets: [{ prefix: "fd09::/64", gateway: "fd09::9" }] },
    ],
    ["network update web --label a=1 --label-rm b", { network: "web", addLabels: { a: "1" }, removeLabels: ["b"] }],
  ])
})

describe("attach", () => {
  const netns = { kind: "path", path: "/run/netns/x" }
  check([
    ["attach --netns /run/netns/x --network web", { netns, networks: [{ network: "web" }] }],
    ["attach api --netns x --hostname h", { name: "api", hostname: "h", netns, networks: [] }],
    ["attach --netns ./x", { netns: { kind: "path", path: "/work/./x" }, networks: [] }],
    ["attach --pid 42 --net web", { netns: { kind: "pid", pid: 42 }, networks: [{ network: "web" }] }],
    ["attach api --new", { name: "api", netns: { kind: "new", name: "api" }, networks: [] }],
    ["attach --new=box api", { name: "api", netns: { kind: "new", name: "box" }, networks: [] }],
    ["attach --new api", { name: "api", netns: { kind: "new", name: "api" }, networks: [] }],
    [
      "attach --netns x --network web:ip=10.9.0.9,ip6=fd09::9,mac=02:00:00:00:00:09,ifname=eth7,priority=10,alias=a,alias=b --network db",
      {
        netns,
        networks: [
          {
            network: "web",
            addresses: ["10.9.0.9", "fd09::9"],
            mac: "02:00:00:00:00:09",
            ifname: "eth7",
            gatewayPriority: 10,
            aliases: ["a", "b"],
          },
          { network: "db" },
        ],
      },
    ],
    [
      "attach --netns x --network web:alias=a --ip 10.9.0.9 --alias b --priority 1",
      { netns, networks: [{ network: "web", addresses: ["10.9.0.9"], gatewayPriority: 1, aliases: ["a", "b"] }] },
    ],
    [
      "attach --netns x --network web -p 80 -p8080:80 -l a=b",
      {
        netns,
        networks: [{ network: "web" }],
        publish: [
          { protocol: "tcp", containerPort: 80, count: 1 },
          { protocol: "tcp", hostPort: 8080, containerPort: 80, count: 1 },
        ],
        labels: { a: "b" },
      },
    ],
    ["detach api", "api"],
  ])
})

describe("ports", () => {
  const table: readonly (readonly [string, object])[] = [
    ["80", { containerPort: 80 }],
    ["8080:80", { hostPort: 8080, containerPort: 80 }],
    ["8080:80/udp", { protocol: "udp", hostPort: 8080, containerPort: 80 }],
    ["80/SCTP", { protocol: "sctp", containerPort: 80 }],
    ["127.0.0.1:8080:80", { hostIp: "127.0.0.1", hostPort: 8080, containerPort: 80 }],
    ["127.0.0.1::80", { hostIp: "127.0.0.1", containerPort: 80 }],
    ["0:80", { containerPort: 80 }],
    [":80", { containerPort: 80 }],
    ["[::1]:8080:80", { hostIp: "::1", hostPort: 8080, containerPort: 80 }],
    ["[::1]::80/udp", { protocol: "udp", hostIp: "::1", containerPort: 80 }],
    ["8000-8009:80-89", { hostPort: 8000, containerPort: 80, count: 10 }],
    ["0.0.0.0:8000-8009:80-89/tcp", { hostIp: "0.0.0.0", hostPort: 8000, containerPort: 80, count: 10 }],
    ["80-89", { containerPort: 80, count: 10 }],
  ]
  for (const [spec, want] of table) {
    test(`${spec} is published and taken back`, async () => {
      const request = { container: "api", ports: [{ protocol: "tcp", count: 1, ...want }] }
      expect(await requestOf("publish", "api", spec)).toEqual(request)
      expect(await requestOf("unpublish", "api", spec)).toEqual(request)
    })
  }

  const wrong: readonly (readonly [string, string])[] = [
    ["1:2:3:4", "too many colons"],
    ["::1:80:80", "in brackets"],
    ["[::1]:80", "write [::1]:8080:80, or [::1]::80"],
    ["[::1]", "no host and container port"],
    ["127.0.0.1:80", "127.0.0.1::80"],
    [":1:2", "nothing before its first colon"],
    ["80/foo", '"foo"'],
    ["0", '"0"'],
    ["65536", '"65536"'],
    ["a:80", '"a"'],
    ["80-79", '"80-79"'],
    ["1-3:4-5", "3 host ports to 2"],
    ["8000-8009:80", "10 host ports to 1"],
    ["", "no container port"],
    ["300.0.0.1:80:80", "300.0.0.1"],
  ]
  for (const [spec, say] of wrong) {
    test(`"${spec}" is refused`, async () => {
      const called = await call(["publish", "api", spec])
      expect(called.status).toBe(2)
      expect(called.stderr).toContain(say)
    })
  }
})

describe("run", () => {
  check([
    ["run sh", { command: ["sh"] }],
    ["run sh -c x --name y", { command: ["sh", "-c", "x", "--name", "y"] }],
    ["run -- --odd", { command: ["--odd"] }],
    [
      "run --rm -d --name api --hostname h --network web -- sleep 1",
      {
        command: ["sleep", "1"],
        name: "api",
        hostname: "h",
        detach: true,
        autoRemove: true,
        networks: [{ network: "web" }],
      },
    ],
    ["run --network host sh", { command: ["sh"], mode: "host" }],
    ["run --network none sh", { command: ["sh"], mode: "none" }],
    ["run --net container:api sh", { command: ["sh"], mode: "container:api" }],
    [
      "run --network web:ip=10.9.0.9 --network db:priority=1 sh",
      {
        command: ["sh"],
        networks: [
          { network: "web", addresses: ["10.9.0.9"] },
          { network: "db", gatewayPriority: 1 },
        ],
      },
    ],
    [
      "run --network web --ip 10.9.0.9 sh",
      { command: ["sh"], networks: [{ network: "web", addresses: ["10.9.0.9"] }] },
    ],
    [
      "run -dp 8080:80 --network web sh",
      {
        command: ["sh"],
        detach: true,
        networks: [{ network: "web" }],
        publish: [{ protocol: "tcp", hostPort: 8080, containerPort: 80, count: 1 }],
      },
    ],
    [
      "run --rootfs ./root -w /tmp -u 1000:1000 --cap-add NET_ADMIN --cap-add SYS_PTRACE -it sh",
      {
        command: ["sh"],
        rootfs: "/work/./root",
        workdir: "/tmp",
        user: "1000:1000",
        capAdd: ["NET_ADMIN", "SYS_PTRACE"],
      },
    ],
    [
      "run -d --log-size 10m --log-files 3 sh",
      { command: ["sh"], detach: true, log: { maxBytes: 10_485_760, files: 3 } },
    ],
    ["run -d --log-size 512K sh", { command: ["sh"], detach: true, log: { maxBytes: 524_288 } }],
    ["run -d --log-files 1 sh", { command: ["sh"], detach: true, log: { files: 1 } }],
    ["run -e A=1 --env B=x=y -e ABSENT -l k=v sh", { command: ["sh"], env: { A: "1", B: "x=y" }, labels: { k: "v" } }],
    [
      "run --dns 192.0.2.53 --dns-search example.org --dns-opt ndots:2 --add-host p:192.0.2.9 --add-host q=fd00::9 --link db:store sh",
      {
        command: ["sh"],
        dns: {
          servers: ["192.0.2.53"],
          search: ["example.org"],
          options: ["ndots:2"],
          hosts: [
            { name: "p", addresses: ["192.0.2.9"] },
            { name: "q", addresses: ["fd00::9"] },
          ],
          links: [{ container: "db", alias: "store" }],
        },
      },
    ],
    ["exec api ip addr", { container: "api", command: ["ip", "addr"] }],
    [
      "exec -e A=1 -w /tmp --user nobody -it api -- sh -c x",
      { container: "api", command: ["sh", "-c", "x"], env: { A: "1" }, workdir: "/tmp", user: "nobody" },
    ],
  ])

  test("--env takes a variable of linkspan's own, --env-file reads lines, and --env wins", async () => {
    const called = await call(["run", "--env-file", "f", "-e", "HOME", "-e", "B=2", "sh"], {
      env: { HOME: "/root" },
      files: { f: "# a comment\nA=1\n\nB=1\nHOME\n" },
    })
    expect(called.engine.asked).toEqual([
      { verb: "run", request: { command: ["sh"], env: { A: "1", B: "2", HOME: "/root" } } },
    ])
  })

  test("an --env-file that cannot be read, or has lines that cannot, is refused", async () => {
    const called = await call(["run", "--env-file", "absent", "--env-file", "f", "sh"], { files: { f: "A=1\n=2\n" } })
    expect(called.status).toBe(2)
    expect(called.stderr).toContain('--env-file: cannot read "absent"')
    expect(called.stderr).toContain("--env-file f:2")
  })
})

describe("the rest", () => {
  check([
    [
      "network create web --dns 192.0.2.53 --dns-record *.apps=10.89.0.80,fd00::80",
      {
        name: "web",
        dnsServers: ["192.0.2.53"],
        dnsRecords: [{ name: "*.apps", addresses: ["10.89.0.80", "fd00::80"] }],
      },
    ],
    [
      "network update web --no-names --dns none --dns-record old=",
      { network: "web", dns: false, dnsServers: [], dnsRecords: [{ name: "old", addresses: [] }] },
    ],
    ["ps", { all: false }],
    ["ps -aq", { all: true }],
    ["inspect api", "api"],
    ["logs api", { container: "api", follow: false }],
    ["logs -fn 20 api", { container: "api", follow: true, tail: 20 }],
    ["stop api", { container: "api" }],
    ["stop -t 0 --signal SIGINT api", { container: "api", timeoutMs: 0, signal: "SIGINT" }],
    ["rm api", "api"],
    ["rm -f api", "api"],
    ["explain api db", { from: "api", to: "db" }],
    ["explain -6 api [fd00::2]:53/udp", { from: "api", to: "fd00::2", port: 53, protocol: "udp", family: 6 }],
    ["explain --no-probe api db:80", { from: "api", to: "db", port: 80, protocol: "tcp", probe: false }],
    ["explain outside host:80", { from: "outside", to: "host", port: 80, protocol: "tcp" }],
    ["explain api fd00::2", { from: "api", to: "fd00::2" }],
    ["reconcile", { takeOver: false }],
    ["reconcile --take-over", { takeOver: true }],
    ["firewall status", undefined],
    ["firewall rules", undefined],
    ["firewall integrate", undefined],
    ["firewall remove", undefined],
  ])
})
