// time limit: 300 s
// Two daemons of one host with one plugin, which they find by each of the files that Docker knows; and many containers
// that start at once.

import { expect, setDefaultTimeout, test } from "bun:test"
import { ADDRESSES, Host } from "../../host.ts"
import { Docker } from "./docker.ts"

setDefaultTimeout(280_000)

const ALOOF = ["--iptables=false", "--ip-forward=false"]
const AT_ONCE = 8

test("two daemons: networks of the same name are apart, ports and subnets are given once", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  await using first = await Docker.start(host, ALOOF)
  await first.serve(linkspan)
  await using second = await Docker.start(host, ALOOF, {
    name: "e",
    etc: {
      "docker/plugins/linkspan.spec": `unix://${first.socket}\n`,
      "docker/plugins/also.json": JSON.stringify({ Name: "also", Addr: `unix://${first.socket}` }),
    },
  })
  const create = (docker: Docker, name: string, driver: string, ...options: string[]) =>
    docker.ok("network", "create", "-d", driver, "--ipam-driver", driver, ...options, name)
  await create(first, "web", "linkspan")
  const [ofFirst] = await linkspan.networks.list()
  await create(second, "web", "linkspan")
  await create(second, "more", "also", "--subnet", "10.45.0.0/24")
  const subnets = (await linkspan.networks.list()).map((network) => network.subnets[0])
  expect(new Set(subnets).size).toBe(3)
  const taken = await first.try(
    "network",
    "create",
    "-d",
    "linkspan",
    "--ipam-driver",
    "linkspan",
    "--subnet",
    "10.45.0.0/24",
    "x",
  )
  expect(taken.stderr).toContain("10.45.0.0/24")

  const one = await first.run("one", "--network", "web", "-p", "8080:80")
  const two = await second.run("one", "--network", "web", "-p", "8081:80")
  const clash = await second.try("run", "--network", "more", "-p", "8080:80", "bb", "/bin/busybox", "true")
  expect(clash.stderr).toMatch(/host port 8080\/tcp is published by container "/)
  {
    await using web = await one.listen(80)
    await using _other = await two.listen(80)
    expect(await host.outside.connect(ADDRESSES.host4, 8080)).toMatchObject({ ok: true })
    expect(await host.outside.connect(ADDRESSES.host4, 8081)).toMatchObject({ ok: true })
    const address = (await one.link("eth0"))?.addr_info?.[0]?.local ?? ""
    expect((await two.connect(address, web.port)).error).toBe("ECONNREFUSED")
  }

  // What another daemon has made is nothing to lose, and nothing to forget either.
  const doctor = async (docker: Docker) => {
    const { findings } = await linkspan.doctor({ canaries: false, docker: docker.api })
    return findings.filter(({ check }) => check === "docker").map(({ what, remedy }) => remedy ?? what)
  }
  expect(await doctor(second)).toEqual([`linkspan network rm --force ${ofFirst?.id}`])
  expect(await doctor(first)).toHaveLength(2)

  // A daemon that goes takes its own away, and nothing of the other's.
  await second.ok("rm", "-f", "one")
  await second.ok("network", "rm", "web", "more")
  expect((await linkspan.networks.list()).length).toBe(1)
  expect(await doctor(first)).toEqual(["Docker knows every network that it made here"])

  // Many at once: each has an address and its port.
  await Promise.all(
    Array.from({ length: AT_ONCE }, (_, index) =>
      first.ok(
        "run",
        "-d",
        "--name",
        `m${index}`,
        "--network",
        "web",
        "-p",
        `${9000 + index}:80`,
        "bb",
        "/bin/busybox",
        "sleep",
        "1000",
      ),
    ),
  )
  const containers = await linkspan.list()
  const addresses = containers.flatMap(({ networks }) => networks.flatMap((each) => each.addresses))
  expect(new Set(addresses).size).toBe(AT_ONCE + 1)
  const ports = containers.flatMap(({ publications }) => publications.map(({ hostPort }) => hostPort))
  expect(ports.toSorted()).toEqual([8080, ...Array.from({ length: AT_ONCE }, (_, index) => 9000 + index)])
  expect((await linkspan.reconcile()).repairs).toEqual([])

  await first.ok("rm", "-f", "one", ...Array.from({ length: AT_ONCE }, (_, index) => `m${index}`))
  await first.ok("network", "rm", "web")
  expect(await linkspan.networks.list()).toEqual([])
})
