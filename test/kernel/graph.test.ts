// The picture against what iproute2 sees: everything the kernel has is in it, and nothing else.

import { expect, test } from "bun:test"
import type { Topology } from "../../src/model/topology.ts"
import { Host } from "../host.ts"
import type { IpObject, Netns } from "../netns.ts"
import { run } from "../run.ts"

async function ipLinks(netns: Netns): Promise<object[]> {
  const links = (await netns.exec(["ip", "-j", "-d", "address", "show"])).json<IpObject[]>()
  return links.map((link) => ({
    ifname: link.ifname,
    ifindex: link.ifindex,
    mac: link.address,
    mtu: link.mtu,
    master: link.master,
    kind: link.linkinfo?.info_kind,
    addresses: (link.addr_info ?? []).map(({ local, prefixlen }) => `${local}/${prefixlen}`).sort(),
  }))
}

function drawn({ links }: Topology["host"]): object[] {
  return links.map(({ ifname, ifindex, mac, mtu, master, kind, addresses }) => ({
    ifname,
    ifindex,
    mac,
    mtu,
    master,
    kind,
    addresses: [...addresses].sort(),
  }))
}

test("everything a dump knows is in it, every cable has its two ends, in every language", async () => {
  await using host = await Host.create()
  const [a, b] = [await host.netns("a"), await host.netns("b")]
  const cli = async (line: string, ...more: string[]) => (await host.cli([...line.split(" "), ...more])).ok().stdout
  await cli("network create web --ipv6")
  await cli("network create db --internal")
  await cli("attach a --network web --network db -p 8080:80 --netns", a.path)
  await cli("attach b --network db --netns", b.path)
  const topology = JSON.parse(await cli("graph -o json")) as Topology
  expect(drawn(topology.host)).toEqual(await ipLinks(host))
  for (const [name, netns] of [
    ["a", a],
    ["b", b],
  ] as const) {
    const space = topology.containers.find((each) => each.name === name)
    expect(space === undefined ? undefined : drawn(space)).toEqual(await ipLinks(netns))
  }
  const ends = async (netns: Netns) =>
    new Map((await netns.exec(["ip", "-j", "-d", "link"])).json<IpObject[]>().map((link) => [link.ifname, link]))
  const outside = await ends(host)
  expect(topology.cables).toHaveLength(3)
  for (const { near, far } of topology.cables) {
    const inside = (await ends(topology.containers.find(({ id }) => id === far.space)?.name === "a" ? a : b)).get(
      far.ifname,
    )
    expect(inside?.link_index).toBe(outside.get(near.ifname)?.ifindex)
    expect(outside.get(near.ifname)?.link_index).toBe(inside?.ifindex)
  }
  expect(topology.gates).toMatchObject([{ hostPort: 8080, containerPort: 80, protocol: "tcp" }])
  const fdb = (await host.exec(["bridge", "-j", "fdb", "show"])).json<
    { mac: string; ifname: string; master?: string }[]
  >()
  for (const bridge of topology.host.links.filter(({ kind }) => kind === "bridge")) {
    const told = (bridge.forwarding ?? []).map(({ mac, port }) => `${mac} ${port}`)
    const there = fdb.filter(({ master }) => master === bridge.ifname).map(({ mac, ifname }) => `${mac} ${ifname}`)
    expect(told.length).toBeGreaterThan(0)
    expect(told.filter((entry) => !there.includes(entry))).toEqual([])
  }
  const svg = await cli("graph")
  const parse = "import sys,xml.etree.ElementTree as e; print(e.fromstring(sys.stdin.read()).tag)"
  expect((await run(["python3", "-I", "-c", parse], { input: svg })).ok().stdout).toBe(
    "{http://www.w3.org/2000/svg}svg\n",
  )
  for (const { near, far } of topology.cables) {
    expect(svg).toContain(`data-id="${near.ifname}/${far.space}/${far.ifname}"`)
  }
  expect(await cli("graph -o dot")).toContain("8080 → 80/tcp")
  expect(await cli("graph --output=mermaid")).toStartWith("flowchart TB\n")
  expect((await host.cli(["graph", "-o", "png"])).code).toBe(2)
  await a.exec(["ip", "link", "set", "eth0", "down"])
  const down = JSON.parse(await cli("graph -o json")) as Topology
  expect(down.containers.find(({ name }) => name === "a")?.links.find(({ ifname }) => ifname === "eth0")?.up).toBe(
    false,
  )
  await cli("detach a b")
  await cli("network rm web db")
})
