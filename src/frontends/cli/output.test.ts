// What successful commands write.

import { describe, expect, test } from "bun:test"
import { containerTable } from "./print/container-table.ts"
import { containerTree } from "./print/container-tree.ts"
import { firewallTree } from "./print/firewall-tree.ts"
import { PLAIN } from "./print/look.ts"
import { networkTree } from "./print/network-tree.ts"
import { CONTAINER, ENDPOINT, NETWORK } from "./testing/engine.ts"
import { call } from "./testing/world.ts"

async function out(line: string, options?: Parameters<typeof call>[1]): Promise<string> {
  const { stdout, status, stderr } = await call(line.split(" "), options)
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
  return stdout
}

test("changes print the name of the thing", async () => {
  expect(await out("network create web")).toBe("web\n")
  expect(await out("network rm a b")).toBe("a\nb\n")
  expect(await out("run -d sh")).toBe("api\n")
  expect(await out("stop a b")).toBe("a\nb\n")
  expect(await out("publish api 80")).toBe("8080:80/tcp\n")
  expect(await out("network connect web api")).toBe("web eth0 10.89.0.2/24\n")
})

test("-o json prints the result", async () => {
  expect(JSON.parse(await out("network create web -o json"))).toEqual(NETWORK)
  expect(JSON.parse(await out("-o json ps"))).toEqual([CONTAINER])
  expect(JSON.parse(await out("inspect api -o json"))).toEqual([CONTAINER])
  expect(JSON.parse(await out("network connect web api -o=json"))).toEqual(ENDPOINT)
  expect(JSON.parse(await out("run -o json -d sh"))).toEqual(CONTAINER)
  expect(JSON.parse(await out("version -o json"))).toHaveProperty("linkspan")
})

test("-q prints names", async () => {
  expect(await out("ps -q")).toBe("api\n")
  expect(await out("network ls -q")).toBe("web\n")
})

test("--dry-run prints the plan", async () => {
  const plan = "ip link add name br-web type bridge\nip link set dev br-web up\n"
  for (const line of [
    "network create web",
    "network rm web",
    "network prune",
    "network update web --icc",
    "network connect web api",
    "network disconnect web api",
    "attach --netns x",
    "detach api",
    "publish api 80",
    "unpublish api 80",
    "rm api",
    "firewall integrate",
    "firewall remove",
  ]) {
    expect(await out(`${line} --dry-run`)).toBe(plan)
  }
  expect(await out("run --dry-run sh")).toBe(plan)
  expect(await out("reconcile --dry-run")).toBe("ip link set dev ls-api master br-web\n")
  expect(JSON.parse(await out("network create web --dry-run -o json"))).toEqual({
    dryRun: true,
    plan: plan.trim().split("\n"),
    warnings: [],
  })
})

test("warnings go to stderr, but not with -q", async () => {
  const warnings = ["ufw will drop \u001bthis"]
  expect(await call(["network", "create", "web"], { warnings })).toMatchObject({
    stdout: "web\n",
    stderr: "linkspan: warning: ufw will drop \\x1bthis\n",
  })
  expect(await call(["network", "create", "web", "-q"], { warnings })).toMatchObject({ stdout: "web\n", stderr: "" })
  expect(await call(["network", "create", "web", "-o", "json"], { warnings })).toMatchObject({
    stderr: `${JSON.stringify({ warning: { message: warnings[0] } })}\n`,
  })
})

test("reconcile ends with 1 when something is left", async () => {
  expect(await call(["reconcile"], { warnings: ["no"] })).toMatchObject({
    status: 1,
    stderr: "linkspan: warning: no\n",
  })
  expect(await call(["reconcile"])).toMatchObject({ status: 0, stderr: "" })
})

test("--debug prints the messages and every step", async () => {
  expect((await call(["network", "create", "web", "--debug"])).stderr).toBe(
    "RTM_NEWLINK\n+ [1/2] ip link add name br-web type bridge\n+ [2/2] ip link set dev br-web up\n",
  )
})

test("an empty listing says what to do, to people", async () => {
  expect((await call(["ps"], { containers: [] })).stderr).toContain("linkspan run")
  expect(await call(["ps", "-o", "json"], { containers: [] })).toMatchObject({ stdout: "[]\n", stderr: "" })
})

test("logs are passed on byte by byte", async () => {
  expect(await out("logs api")).toBe("first\nsecond\n")
})

describe("a foreground process", () => {
  test("ends linkspan with its status", async () => {
    expect((await call(["run", "sh"], { exitStatus: 42 })).status).toBe(42)
    expect((await call(["exec", "api", "sh"], { exitStatus: 137 })).status).toBe(137)
    expect((await call(["run", "-d", "sh"], { exitStatus: 42 })).status).toBe(0)
  })

  test("has the signals forwarded that linkspan gets, for as long as it runs", async () => {
    const forwarding: string[] = []
    const onForward = (what: string) => forwarding.push(what)
    await call(["run", "sh"], { onForward })
    await call(["exec", "api", "sh"], { onForward })
    expect(forwarding).toEqual(["begin", "end", "begin", "end"])
  })
})

describe("trees", () => {
  test("network inspect", () => {
    expect(networkTree(NETWORK, PLAIN)).toMatchInlineSnapshot(`
      "network web  4f2a91c03b7e  bridge, nat
      ├─ labels tier=front
      ├─ subnet 10.89.0.0/24, gateway 10.89.0.1, 1 leased, 252 free
      └─ bridge br-web  up  02:42:00:00:00:01  10.89.0.1/24  mtu 1500
         ├─ received 1.2 MB (1,840 packets), sent 98.0 kB (900 packets)
         └─ port 1 (forwarding) ls0123456789 up ◄═veth═► eth0 in api  up  02:42:0a:59:00:02  10.89.0.2/24
            ├─ received 1.2 MB (1,840 packets), sent 98.0 kB (900 packets)
            ├─ also called backend
            └─ published 8080:80/tcp
      "
    `)
  })

  test("network inspect, of a network in trouble", () => {
    const { actual: _, ...endpoint } = ENDPOINT
    const { actual: __, ...network } = NETWORK
    expect(
      networkTree({ ...network, endpoints: [endpoint], problems: ['bridge "br-web" is missing'] }, PLAIN),
    ).toMatchInlineSnapshot(`
      "network web  4f2a91c03b7e  bridge, nat
      ├─ labels tier=front
      ├─ subnet 10.89.0.0/24, gateway 10.89.0.1, 1 leased, 252 free
      ├─ bridge br-web  missing
      │  └─ port ls0123456789 missing ◄═veth═► eth0 in api  missing  02:42:0a:59:00:02  10.89.0.2/24
      │     ├─ also called backend
      │     └─ published 8080:80/tcp
      └─ problems ("linkspan reconcile" repairs what it can)
         └─ bridge "br-web" is missing
      "
    `)
  })

  test("inspect", () => {
    expect(
      containerTree({ ...CONTAINER, labels: { a: "\u001b[31m" }, problems: ["the default route is missing"] }, PLAIN),
    ).toMatchInlineSnapshot(`
      "container api  c0ffee000001  running  pid 4242
      ├─ command python3 -m http.server 80
      ├─ labels a=\\x1b[31m
      ├─ namespace /proc/4242/ns/net  inode 4026532301
      │  └─ eth0  up  02:42:0a:59:00:02  10.89.0.2/24  mtu 1500
      │     ├─ route default via 10.89.0.1
      │     ├─ route 10.89.0.0/24
      │     ├─ received 1.2 MB (1,840 packets), sent 98.0 kB (900 packets)
      │     ├─ also called backend
      │     └─ veth ls0123456789  up  ifindex 12
      │        └─ port 1 of bridge br-web  forwarding
      │           └─ network web  gateway 10.89.0.1
      │              └─ published 8080:80/tcp
      └─ problems ("linkspan reconcile" repairs what it can)
         └─ the default route is missing
      "
    `)
  })

  test("inspect, of a container that has ended", () => {
    const { pid: _, netns: __, ...container } = CONTAINER
    expect(
      containerTree({ ...container, status: "exited", exitCode: 3, endpoints: [], routes: [] }, PLAIN),
    ).toMatchInlineSnapshot(`
      "container api  c0ffee000001  exited (3)
      ├─ command python3 -m http.server 80
      └─ namespace  gone
      "
    `)
  })

  test("firewall status", () => {
    const obstacle = {
      traffic: "forwarded",
      owner: "custom",
      where: 'chain "f" of table inet mine',
      families: [4, 6],
      remedy: "nft add rule …",
      integrable: false,
    } as const
    expect(
      firewallTree(
        {
          loaded: false,
          obstacles: [obstacle],
          nameObstacles: [{ ...obstacle, traffic: "names" }],
          integrations: [{ owner: "ufw", where: "route rule", inPlace: false }],
        },
        PLAIN,
      ),
    ).toMatchInlineSnapshot(`
      "firewall  linkspan's own tables are not loaded
      ├─ custom refuses forwarded traffic (IPv4, IPv6): chain "f" of table inet mine
      │  └─ remedy: nft add rule …
      ├─ custom refuses questions about names at gateways (IPv4, IPv6): chain "f" of table inet mine
      │  └─ remedy: nft add rule …
      └─ integrated with ufw: route rule  gone
      "
    `)
  })
})

describe("tables", () => {
  const containers = [
    {
      ...CONTAINER,
      name: "a-rather-long-name",
      command: ["sh", "-c", "x".repeat(60)],
      createdAt: "2026-01-01T00:00:00Z",
    },
    {
      ...CONTAINER,
      status: "exited",
      exitCode: 1,
      mode: "host",
      networks: [],
      publications: [],
      createdAt: "2026-01-01T09:59:30Z",
    } as const,
  ]
  const now = Date.parse("2026-01-01T10:00:00Z")

  test("take the room they need where there is no terminal", () => {
    expect(containerTable(containers, PLAIN, now)).toMatchInlineSnapshot(`
      "NAME                ID            STATUS      CREATED       NETWORKS       PORTS        COMMAND
      a-rather-long-name  c0ffee000001  running     10 hours ago  web 10.89.0.2  8080:80/tcp  sh -c xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      api                 c0ffee000001  exited (1)  just now      host                        python3 -m http.server 80
      "
    `)
  })

  test("fit the terminal, and stay aligned in colour", () => {
    const table = containerTable(containers, { colour: true, columns: 90 }, now)
    for (const line of table.trimEnd().split("\n")) {
      expect(Bun.stringWidth(line)).toBeLessThanOrEqual(90)
    }
    expect(Bun.stripANSI(table)).toMatchInlineSnapshot(`
      "NAME         ID            STATUS      CREATED       NETWORKS     PORTS        COMMAND
      a-rather-l…  c0ffee000001  running     10 hours ago  web 10.89.…  8080:80/tcp  sh -c xxxx…
      api          c0ffee000001  exited (1)  just now      host                      python3 -m…
      "
    `)
  })
})

test("explain marks the place that stops the packet, and ends with 4", async () => {
  expect(await call(["explain", "api", "db:81"])).toMatchObject({
    status: 4,
    stderr: "",
    stdout: `✘ api does not reach db:81/tcp

    db            is 10.89.0.3, IPv4
  → api:eth0      veth, index 2, MTU 1500
  ✘ container db  nothing listens on tcp port 81

note  \\x1bodd

next  ss -lntp
`,
  })
})
