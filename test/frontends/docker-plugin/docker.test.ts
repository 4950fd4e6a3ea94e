// time limit: 300 s
// The whole with Debian's own dockerd: its containers on linkspan's networks, seen by the neighbours that they talk to.

import { expect, setDefaultTimeout, test } from "bun:test"
import { ADDRESSES, Host } from "../../host.ts"
import { until } from "../../run.ts"
import { Docker } from "./docker.ts"

setDefaultTimeout(240_000)

/** dockerd leaves the host's filter alone. */
const ALOOF = ["--iptables=false", "--ip-forward=false"]

const COMPOSE = `
version: "3.5"
services:
  web: { image: bb, command: /bin/busybox sleep 1000, ports: ["8090:80"], networks: [front, back] }
  db: { image: bb, command: /bin/busybox sleep 1000, networks: [back] }
networks:
  front: { driver: linkspan, driver_opts: { com.docker.network.driver.mtu: "1400" } }
  back: { driver: linkspan, internal: true, ipam: { driver: linkspan, config: [{ subnet: 10.44.0.0/24 }] } }
`

test("docker network create, run, connect and rm: addresses, routes, ways out, published ports, isolation", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  await using docker = await Docker.start(host, ALOOF)
  await docker.serve(linkspan)

  await docker.ok("network", "create", "-d", "linkspan", "--ipam-driver", "linkspan", "--subnet", "10.40.0.0/24", "web")
  const v6 = ["--ipv6", "--subnet", "10.41.0.0/24", "--subnet", "fd00:41::/64"]
  await docker.ok("network", "create", "-d", "linkspan", ...v6, "both")

  const one = await docker.run(
    "one",
    "--label",
    "tier=front",
    "--network",
    "web",
    "-p",
    "8080:80",
    "-p",
    "7000-7009:7000-7009/udp",
  )
  const two = await docker.run("two", "--network", "both", "--ip", "10.41.0.9", "--ip6", "fd00:41::9", "-p", "8081:80")
  expect(await one.link("eth0")).toMatchObject({
    mtu: 1500,
    addr_info: expect.arrayContaining([expect.objectContaining({ local: "10.40.0.2", prefixlen: 24 })]) as never,
  })
  expect((await two.link("eth0"))?.addr_info?.map(({ local }) => local)).toContain("fd00:41::9")
  expect(await docker.inspect(".NetworkSettings.Networks.both.MacAddress", "two")).toBe(
    (await two.link("eth0"))?.address,
  )

  // Out, behind the host's address.
  await using beyond = await host.outside.listen(443)
  expect(await one.connect(ADDRESSES.internet4, beyond.port)).toMatchObject({ ok: true, seenAs: ADDRESSES.host4 })
  expect(await two.connect(ADDRESSES.internet6, beyond.port)).toMatchObject({ ok: true, seenAs: ADDRESSES.host6 })
  // In, with the client's own; from the host, by loopback, from the other network; not past the published port.
  await using web = await one.listen(80)
  await using both = await two.listen(80)
  expect(await host.outside.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true, seenAs: ADDRESSES.outside4 })
  expect(await host.outside.connect(ADDRESSES.host6, 8081)).toMatchObject({ ok: true, seenAs: ADDRESSES.outside6 })
  expect(await host.connect("127.0.0.1", 8080)).toMatchObject({ ok: true })
  expect(await two.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true, seenAs: "10.41.0.9" })
  expect(await one.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true })
  expect(await two.connect("10.40.0.2", web.port)).toMatchObject({ ok: false, error: "ECONNREFUSED" })
  await using udp = await one.listen(7004, "udp")
  expect(await host.outside.connect(ADDRESSES.host4, udp.port, { proto: "udp" })).toMatchObject({ ok: true })

  // A second network, live; names by Docker.
  await docker.ok("network", "connect", "--alias", "uno", "both", "one")
  const inside = (await one.ip(["address", "show"])).map(({ ifname }) => ifname)
  expect(inside.toSorted()).toEqual(["eth0", "eth1", "lo"])
  expect(await one.connect("10.41.0.9", both.port)).toMatchObject({ ok: true })
  expect(await docker.ok("exec", "two", "/bin/busybox", "nslookup", "uno", "127.0.0.11")).toContain("10.41.0.")
  expect((await linkspan.list()).map(({ networks }) => networks.length).toSorted()).toEqual([1, 2])
  // What the user calls them, once Docker's API was asked.
  const called = async (): Promise<true | undefined> => {
    const [containers, networks] = await Promise.all([linkspan.list(), linkspan.networks.list()])
    const names = [...containers, ...networks].map(({ name }) => name).toSorted()
    return names.join(" ") === "both one two web" ? true : undefined
  }
  expect(await until(called, 20_000)).toBe(true)
  expect((await linkspan.inspect("one")).labels).toMatchObject({ tier: "front" })
  expect(docker.said).toEqual([])
  await docker.ok("network", "disconnect", "both", "one")
  expect((await one.ip(["address", "show"])).length).toBe(2)

  // A name that is taken is Docker's error, and undone.
  const clash = await docker.try(
    "run",
    "-d",
    "--name",
    "three",
    "--network",
    "both",
    "-p",
    "8080:80",
    "bb",
    "/bin/busybox",
  )
  expect(clash.stderr).toMatch(/Cannot publish ports .* host port 8080\/tcp is published by container "one"/)

  for (const listener of [beyond, web, both, udp]) {
    await listener.stop()
  }

  // Compose: networks of its own, names, ports, and all of it gone again.
  const file = host.file("compose.yml")
  await Bun.write(file, COMPOSE)
  await docker.compose(file, "up", "--detach")
  await using front = await (await docker.netns("project_web_1")).listen(80)
  expect(await host.outside.connect(ADDRESSES.host4, 8090)).toMatchObject({ ok: true })
  const lookup = ["exec", "project_db_1", "/bin/busybox", "nslookup", "web", "127.0.0.11"]
  expect(await docker.ok(...lookup)).toContain("10.44.0.")
  await front.stop()
  await docker.compose(file, "down", "--timeout", "0")
  await docker.ok("rm", "-f", "one", "two", "three")
  await docker.ok("network", "rm", "web", "both")
  expect(await linkspan.networks.list()).toEqual([])
})
