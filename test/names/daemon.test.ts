// Names as containers ask for them, with other people's resolvers, from a daemon that is started as for a user.

import { expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { ADDRESSES, Host } from "../host.ts"
import { readText } from "../process.ts"
import { cli, daemonPid, dig, gone, upstream } from "./tools.ts"

test("containers find each other by name, at 127.0.0.11 and at the gateway, from the join on to the leave", async () => {
  await using host = await Host.create({ names: true })
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  await cli(host, "network create web --subnet 10.89.7.0/24 --subnet fd00:89:7::/64")
  expect(daemonPid(host)).toBeUndefined()
  await cli(host, "attach a --network web --netns", a.path)
  expect(await dig(a, "@127.0.0.11", "b")).not.toContain("10.89.7.3")
  await cli(host, "attach b --network web --alias store --netns", b.path)
  expect(await dig(a, "@127.0.0.11", "b")).toEqual(["10.89.7.3"])
  expect(await dig(a, "@10.89.7.1", "b", "AAAA")).toEqual(["fd00:89:7::3"])
  expect(await dig(a, "@fd00:89:7::1", "store")).toEqual(["10.89.7.3"])
  expect(await dig(a, "+tcp", "@127.0.0.11", "store.web")).toEqual(["10.89.7.3"])
  expect(await dig(a, "@127.0.0.11", "-x", "10.89.7.3")).toEqual(["b.web."])
  const { stdout } = await a.exec(["busybox", "nslookup", "store.web", "127.0.0.11"])
  expect(stdout).toContain("10.89.7.3")
  await cli(host, "detach b")
  expect(await dig(a, "@127.0.0.11", "store.web")).not.toContain("10.89.7.3")
  await cli(host, "detach a")
  // With the last container, and everything of it.
  await gone(() => daemonPid(host))
  expect(existsSync(`${host.runDir}/names.sock`)).toBe(false)
  await cli(host, "network rm web")
})

test("a name is seen from networks that share it, and a resolver by its own network", async () => {
  await using host = await Host.create({ names: true })
  const [a, b, c] = [await host.netns("a"), await host.netns("b"), await host.netns("c")]
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "network create db --subnet 10.89.8.0/24")
  // A bare switch: the host has no address on it.
  await cli(host, "network create bare --gateway-mode isolated --subnet 10.89.9.0/24")
  await cli(host, "attach a --network web --netns", a.path)
  await cli(host, "attach b --network db --network bare --netns", b.path)
  await cli(host, "attach c --network bare --alias one --netns", c.path)
  expect(await dig(b, "@127.0.0.11", "one")).toEqual(["10.89.9.2"])
  expect(await dig(c, "@127.0.0.11", "b.bare")).toEqual(["10.89.9.1"])
  expect(await dig(c, "@127.0.0.11", "b.db")).not.toContain("10.89.8.2")
  expect(await dig(a, "@127.0.0.11", "b.db")).not.toContain("10.89.8.2")
  // Not open to other networks, nor to the outside.
  expect(await dig(a, "@10.89.8.1", "b")).toEqual(["silence"])
  await host.outside.exec(["ip", "route", "add", "10.89.7.0/24", "via", ADDRESSES.host4])
  expect(await dig(host.outside, "@10.89.7.1", "a.web")).toEqual(["silence"])
  expect(await dig(a, "@10.89.7.1", "a.web")).toEqual(["10.89.7.2"])
  // By address as by name: connecting takes effect at once.
  await cli(host, "network connect db a")
  expect(await dig(a, "@127.0.0.11", "b.db")).toEqual(["10.89.8.2"])
  expect(await dig(a, "@10.89.8.1", "b")).toEqual(["10.89.8.2"])
  await cli(host, "network disconnect db a")
  expect(await dig(a, "@127.0.0.11", "b.db")).not.toContain("10.89.8.2")
  for (const name of ["a", "b", "c"]) {
    await cli(host, `detach ${name}`)
  }
  await cli(host, "network rm web db bare")
})

test("an alias of several gives all of them in turns, a record what it says, a link what one alone knows", async () => {
  await using host = await Host.create({ names: true })
  const [a, b, c] = [await host.netns("a"), await host.netns("b"), await host.netns("c")]
  await cli(host, "network create web --subnet 10.89.7.0/24 --dns-record *.apps=10.89.7.80 --dns-record nas=192.0.2.9")
  await cli(host, "attach a --network web --alias pool --netns", a.path)
  await cli(host, "attach b --network web --alias pool --netns", b.path)
  await cli(host, "attach c --network web --link a:store --add-host printer:192.0.2.7 --netns", c.path)
  expect(await dig(c, "@127.0.0.11", "pool")).toEqual(["10.89.7.2", "10.89.7.3"])
  const first = async () => (await c.exec(["dig", "+short", "@127.0.0.11", "pool"])).stdout.split("\n")[0] ?? ""
  expect(new Set([await first(), await first()])).toEqual(new Set(["10.89.7.2", "10.89.7.3"]))
  expect(await dig(a, "@127.0.0.11", "any.apps")).toEqual(["10.89.7.80"])
  expect(await dig(c, "@127.0.0.11", "store")).toEqual(["10.89.7.2"])
  expect(await cli(host, "dns query store --from c")).toBe(
    "store A 10.89.7.2\nanswered by linkspan: a link, of this container alone\n",
  )
  expect(await cli(host, "dns query 10.89.7.3 --from a")).toContain("PTR b.web")
  expect(await cli(host, "dns records")).toMatch(/^pool +alias +web +b +10\.89\.7\.3$/m)
  expect(await dig(c, "@127.0.0.11", "printer")).toEqual(["192.0.2.7"])
  expect(await dig(a, "@127.0.0.11", "store")).not.toContain("10.89.7.2")
  expect(await dig(a, "@127.0.0.11", "printer")).not.toContain("192.0.2.7")
  await cli(host, "network update web --dns-record nas= --dns-record disk=192.0.2.10")
  expect(await dig(a, "@127.0.0.11", "nas")).not.toContain("192.0.2.9")
  expect(await dig(a, "@127.0.0.11", "disk")).toEqual(["192.0.2.10"])
  for (const name of ["c", "b", "a"]) {
    await cli(host, `detach ${name}`)
  }
  await cli(host, "network rm web")
})

test("a namespace that its owner gives up is not kept alive", async () => {
  await using host = await Host.create({ names: true })
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "attach a --network web --netns", a.path)
  await cli(host, "attach b --network web --netns", b.path)
  await cli(host, "run -d --name p --network web -- sleep 1000")
  const port = async (name: string): Promise<string> => {
    const [view] = (await host.cli(["inspect", name, "-o", "json"])).json<
      {
        endpoints: { hostIfname: string }[]
      }[]
    >()
    return view?.endpoints[0]?.hostIfname ?? ""
  }
  const [portOfA, portOfP] = [await port("a"), await port("p")]
  const [{ pid } = { pid: 0 }] = (await host.cli(["inspect", "p", "-o", "json"])).json<{ pid: number }[]>()
  expect(await dig(b, "@127.0.0.11", "a.web")).toEqual(["10.89.7.2"])
  // A veth goes with its namespace, and that with the last that holds it.
  await host.removeNetns(a)
  await gone(() => host.link(portOfA))
  expect(await dig(b, "@127.0.0.11", "a.web")).not.toContain("10.89.7.2")
  process.kill(pid, "SIGKILL")
  await gone(() => host.link(portOfP))
  expect(await dig(b, "@127.0.0.11", "p.web")).not.toContain("10.89.7.4")
  await cli(host, "reconcile")
  await cli(host, "rm p")
  await cli(host, "detach b")
  await cli(host, "network rm web")
})

test("other names are asked of the network's servers or the container's own, and of nobody from an internal network", async () => {
  await using host = await Host.create({ names: true })
  const [a, b, c] = [await host.netns("a"), await host.netns("b"), await host.netns("c")]
  await using theirs = await upstream(host.outside, ADDRESSES.outside4, "198.51.100.7")
  await using own = await upstream(host.outside, ADDRESSES.outside6, "198.51.100.8")
  await cli(host, `network create web --subnet 10.89.7.0/24 --dns ${ADDRESSES.outside4}`)
  await cli(host, `network create inner --internal --subnet 10.89.8.0/24 --dns ${ADDRESSES.outside4}`)
  await cli(host, "attach a --network web --netns", a.path)
  await cli(host, `attach b --network web --dns ${ADDRESSES.outside6} --netns`, b.path)
  await cli(host, "attach c --network inner --netns", c.path)
  expect(await dig(a, "@127.0.0.11", "www.example.org")).toEqual(["198.51.100.7"])
  expect(await theirs.nextLine()).toBe("www.example.org A")
  expect(await dig(b, "@10.89.7.1", "www.example.net")).toEqual(["198.51.100.8"])
  expect(await own.nextLine()).toBe("www.example.net A")
  // The name has no such address, and that is nobody else's business.
  expect(await dig(a, "@127.0.0.11", "b.web", "AAAA")).toEqual([])
  expect(await dig(a, "@127.0.0.11", "-x", "10.89.7.77")).toEqual(["NXDOMAIN"])
  expect(await dig(c, "@127.0.0.11", "www.example.com")).toEqual(["NXDOMAIN"])
  expect(await dig(c, "@10.89.8.1", "c.inner")).toEqual(["10.89.8.2"])
  await cli(host, "network update web --dns none --dns", ADDRESSES.outside6)
  expect(await dig(a, "@127.0.0.11", "later.example.org")).toEqual(["198.51.100.8"])
  // The host's own stub is within reach, and asked from where the host is.
  await using stub = await upstream(host, "127.0.0.53", "198.51.100.9")
  await cli(host, "network update web --dns none --dns 127.0.0.53 --no-dns-cache")
  expect(await dig(a, "@127.0.0.11", "stub.example.org")).toEqual(["198.51.100.9"])
  expect(await dig(a, "@10.89.7.1", "stub.example.org")).toEqual(["198.51.100.9"])
  expect(stub.stdout).toBe(`ready\n${"stub.example.org A\n".repeat(2)}`)
  expect([theirs.stdout, own.stdout]).toEqual([
    "ready\nwww.example.org A\n",
    "ready\nwww.example.net A\nlater.example.org A\n",
  ])
  for (const name of ["a", "b", "c"]) {
    await cli(host, `detach ${name}`)
  }
  await cli(host, "network rm web inner")
})

test("a container that linkspan starts resolves as its programs are used to, also after it has joined a network", async () => {
  await using host = await Host.create({ names: true })
  const [a] = [await host.netns("a")]
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "network create db --subnet 10.89.8.0/24")
  await cli(host, "attach a --network web --network db --netns", a.path)
  await cli(host, "run -d --name p --network web --hostname p.example --add-host printer:192.0.2.7 -- sleep 1000")
  const inside = async (...command: string[]): Promise<string> =>
    (await host.cli(["exec", "p", "--", ...command])).ok().stdout.trim()
  expect(await inside("getent", "ahostsv4", "a.web")).toContain("10.89.7.2")
  expect(await inside("busybox", "nslookup", "a.web")).toContain("10.89.7.2")
  expect(await inside("/usr/bin/python3", "-c", "import socket; print(socket.gethostbyname('a.web'))")).toBe(
    "10.89.7.2",
  )
  expect(await inside("node", "-e", "require('dns').lookup('a.web', (_, address) => console.log(address))")).toBe(
    "10.89.7.2",
  )
  expect(await inside("getent", "hosts", "printer")).toContain("192.0.2.7")
  expect(await inside("cat", "/etc/hostname")).toBe("p.example")
  await cli(host, "network connect db p")
  expect(await inside("cat", "/etc/hosts")).toContain("10.89.8.3 p.example p")
  expect(await inside("getent", "ahostsv4", "a.db")).toContain("10.89.8.2")
  await cli(host, "rm -f p")
  await cli(host, "detach a")
  await cli(host, "network rm web db")
})

test("a container may have a name server of its own, and links on one network alone", async () => {
  await using host = await Host.create({ names: true })
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "network create db --subnet 10.89.8.0/24")
  await cli(host, "attach a --network web --no-resolver --netns", a.path)
  await cli(host, "attach b --network web --network db --netns", b.path)
  await using own = await a.listen(53, "udp")
  await using ownTcp = await a.listen(53, "tcp")
  expect([own.port, ownTcp.port]).toEqual([53, 53])
  expect(await dig(a, "@10.89.7.1", "b")).toEqual(["10.89.7.3"])
  await cli(host, "network connect db a --link b:store")
  expect(await dig(a, "@10.89.7.1", "store")).toEqual(["10.89.8.2"])
  expect(await dig(b, "@127.0.0.11", "store")).not.toContain("10.89.8.2")
  expect(await cli(host, "dns records")).toMatch(/^store +link +db +a +b$/m)
  await cli(host, "network disconnect db a")
  expect(await dig(a, "@10.89.7.1", "store")).not.toContain("10.89.8.2")
  await cli(host, "run -d --name p --network web --no-resolver -- sleep 1000")
  expect((await host.cli(["exec", "p", "--", "cat", "/etc/resolv.conf"])).stdout).toContain("nameserver 10.89.7.1\n")
  await cli(host, "rm -f p")
  await cli(host, "detach a")
  await cli(host, "detach b")
  await cli(host, "network rm web db")
})

test("a host's firewall that keeps questions from the gateways is named by explain, and 127.0.0.11 is not concerned", async () => {
  await using host = await Host.create({ names: true })
  const a = await host.netns("a")
  await host.loadNft(`table inet guard {
  chain in { type filter hook input priority 0; policy drop; ct state established,related accept; iifname "lo" accept; }
}
`)
  await host.baseline()
  const remedy = 'nft insert rule inet guard in iifname "ls-*" meta l4proto { tcp, udp } th dport 53 accept'
  const created = await host.cli(["network", "create", "web", "--subnet", "10.89.7.0/24"])
  expect(created.stderr).toContain(
    `A packet filter of this host refuses IPv4 questions about names at the gateways of linkspan's networks (chain "in" of table inet guard, policy drop), though not at 127.0.0.11; let them pass with: ${remedy}\n`,
  )
  await cli(host, "attach a --network web --netns", a.path)
  expect(await dig(a, "@127.0.0.11", "a.web")).toEqual(["10.89.7.2"])
  expect(await dig(a, "@10.89.7.1", "a.web")).toEqual(["silence"])
  expect(JSON.parse(await cli(host, "firewall status -o json"))).toMatchObject({
    obstacles: [],
    nameObstacles: [{ traffic: "names", owner: "custom", remedy }],
  })
  const { stdout } = await host.cli(["explain", "a", "10.89.7.1:53/udp"])
  expect(stdout).toContain("table inet guard  policy of chain in drops it")
  await host.exec(["sh", "-e", "-c", remedy])
  expect(await dig(a, "@10.89.7.1", "a.web")).toEqual(["10.89.7.2"])
  expect(JSON.parse(await cli(host, "firewall status -o json"))).toMatchObject({ nameObstacles: [] })
  await cli(host, "detach a")
  await cli(host, "network rm web")
  await host.loadNft(`flush chain inet guard in
add rule inet guard in ct state established,related accept
add rule inet guard in iifname "lo" accept
`)
})

test("after a crash the next command starts another daemon", async () => {
  await using host = await Host.create({ names: true })
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "attach a --network web --netns", a.path)
  const first = daemonPid(host)
  expect(first).toBeGreaterThan(0)
  // Nothing of whoever started it.
  expect(readText(`/proc/${first}/environ`).match(/^[^=\0]+|(?<=\0)[^=\0]+(?==)/g)).toEqual([
    "PATH",
    "BUN_JSC_forceRAMSize",
    "LINKSPAN_READY_FD",
  ])
  expect(readFileSync(`/proc/${first}/stat`, "utf8").split(") ")[1]?.split(" ")[1]).toBe("1")
  process.kill(first as number, "SIGKILL")
  await gone(() => daemonPid(host))
  expect(await dig(a, "@127.0.0.11", "a.web")).toEqual(["silence"])
  await cli(host, "attach b --network web --netns", b.path)
  expect(await dig(a, "@127.0.0.11", "b")).toEqual(["10.89.7.3"])
  expect(daemonPid(host)).not.toBe(first as number)
  await cli(host, "detach a")
  await cli(host, "detach b")
  await cli(host, "network rm web")
})

test("whoever answers at the port already stays, and a name server's container is left alone", async () => {
  await using host = await Host.create({ names: true })
  const [a, b, c] = [await host.netns("a"), await host.netns("b"), await host.netns("c")]
  await a.exec(["ip", "link", "set", "lo", "up"])
  await using own = await a.listen(53, "udp", { address: "127.0.0.11" })
  await cli(host, "network create web --subnet 10.89.7.0/24")
  await cli(host, "attach a --network web --netns", a.path)
  expect(own.port).toBe(53)
  expect(readText(`${host.runDir}/names.log`)).toContain("a: names are not answered at 127.0.0.11 port 53")
  expect(await dig(a, "@10.89.7.1", "a.web")).toEqual(["10.89.7.2"])
  await cli(host, "attach b --network web -p 53:53/udp --netns", b.path)
  await using server = await b.listen(53, "udp")
  expect(server.port).toBe(53)
  expect(await host.outside.connect(ADDRESSES.host4, 53, { proto: "udp" })).toMatchObject({ ok: true })
  // Whoever asks at the gateway still asks linkspan.
  expect(await dig(a, "@10.89.7.1", "b.web")).toEqual(["10.89.7.3"])
  expect(await dig(b, "@10.89.7.1", "a.web")).toEqual(["10.89.7.2"])
  // At the gateways of other networks it is as published as any other port.
  await cli(host, "network create db --subnet 10.89.9.0/24")
  await cli(host, "attach c --network db --netns", c.path)
  for (const address of ["10.89.9.1", ADDRESSES.host4]) {
    expect(await c.connect(address, 53, { proto: "udp" })).toMatchObject({ ok: true })
  }
  expect(await dig(c, "@127.0.0.11", "c.db")).toEqual(["10.89.9.2"])
  await cli(host, "detach c")
  await cli(host, "network rm db")
  await cli(host, "detach b")
  // Without names, nothing at all.
  await cli(host, "network create quiet --no-names --subnet 10.89.8.0/24")
  await cli(host, "attach c --network quiet --netns", c.path)
  expect(await dig(c, "@127.0.0.11", "c")).toEqual(["silence"])
  expect(await dig(c, "@10.89.8.1", "c")).toEqual(["silence"])
  await cli(host, "detach a")
  await cli(host, "detach c")
  await cli(host, "network rm web quiet")
})
