// time limit: 300 s
// Docker's options for networks, endpoints and ports, each obeyed by what Debian's dockerd then makes, or refused.

import { expect, setDefaultTimeout, test } from "bun:test"
import { ADDRESSES, Host } from "../../host.ts"
import { Docker } from "./docker.ts"

setDefaultTimeout(280_000)

const ALOOF = ["--iptables=false", "--ip-forward=false"]
const BRIDGE = "com.docker.network.bridge"

test("every option of a network, an endpoint and a port is obeyed, or refused with a sentence", async () => {
  await using host = await Host.create()
  await using linkspan = await host.linkspan()
  await using docker = await Docker.start(host, ALOOF)
  await docker.serve(linkspan)
  const create = (name: string, ...options: string[]) =>
    docker.ok("network", "create", "-d", "linkspan", ...options, name)
  const addressOf = async (name: string, network: string) =>
    (await docker.inspect<{ IPAddress: string }>(`(index .NetworkSettings.Networks "${network}")`, name)).IPAddress

  // Refused: the sentence reaches the terminal, and nothing is made.
  for (const [options, sentence] of [
    [["-o", "nonsense=1", "-o", "com.docker.network.driver.mtu=x"], "nonsense is no option"],
    [["-o", `${BRIDGE}.trusted_host_interfaces=eth0`], "is not offered"],
    [["-o", `${BRIDGE}.default_bridge=true`], "there is no default network"],
    [["--ipv6", "--subnet", "fd00:50::/64", "-o", `${BRIDGE}.gateway_mode_ipv6=routed`], "different modes"],
    [["--ipam-driver", "linkspan", "--ipam-opt", "a=b"], 'knows no IPAM option "a"'],
    [["--ipam-driver", "null"], 'cannot have the IPAM driver "null"'],
    [["--ipam-driver", "linkspan", "--subnet", "192.0.2.0/25"], "overlaps address 192.0.2.1/24"],
  ] as const) {
    const refused = await docker.try("network", "create", "-d", "linkspan", ...options, "refused")
    expect(refused.stderr).toContain(sentence)
  }
  expect(await linkspan.networks.list()).toEqual([])

  // Names, MTU, MAC, and a way out by a neighbour.
  await create(
    "named",
    ...["-o", "com.docker.network.driver.mtu=1400", "-o", "com.docker.network.container_iface_prefix=net"],
    ...["-o", `${BRIDGE}.name=br-named`, "-o", `${BRIDGE}.host_binding_ipv4=127.0.0.1`],
    ...["--subnet", "10.51.0.0/24", "--aux-address", "DefaultGatewayIPv4=10.51.0.9"],
  )
  const named = await docker.run("named", "--network", "named", "--mac-address", "02:00:00:00:00:07", "-p", "8051:80")
  expect(await named.link("net0")).toMatchObject({ mtu: 1400, address: "02:00:00:00:00:07" })
  expect(await named.ip(["route", "show", "default"])).toMatchObject([{ gateway: "10.51.0.9", dev: "net0" }])
  expect(await host.link("br-named")).toMatchObject({ mtu: 1400 })
  {
    await using _web = await named.listen(80)
    expect(await host.connect("127.0.0.1", 8051)).toMatchObject({ ok: true })
    expect((await host.outside.connect(ADDRESSES.host4, 8051, { timeoutMs: 500 })).ok).toBe(false)
  }

  // A range with a gateway outside, a reserved address in it, and a fixed one out of it; a second subnet.
  const range = ["--subnet", "10.52.0.0/24", "--ip-range", "10.52.0.128/29", "--gateway", "10.52.0.1"]
  const rest = ["--aux-address", "router=10.52.0.128", "--subnet", "10.53.0.0/24"]
  await create("ranged", "--ipam-driver", "linkspan", ...range, ...rest)
  await docker.run("ranged", "--network", "ranged")
  await docker.run("fixed", "--network", "ranged", "--ip", "10.53.0.77")
  expect(await addressOf("ranged", "ranged")).toBe("10.52.0.129")
  expect(await addressOf("fixed", "ranged")).toBe("10.53.0.77")
  const twice = await docker.try("run", "-d", "--network", "ranged", "--ip", "10.53.0.77", "bb", "/bin/busybox")
  expect(twice.stderr).toContain("10.53.0.77")

  // Nobody reaches anybody; an internal network has no way out and publishes nothing.
  await create("apart", "-o", `${BRIDGE}.enable_icc=false`, "--subnet", "10.54.0.0/24")
  const a = await docker.run("aa", "--network", "apart")
  await docker.run("ab", "--network", "apart", "-p", "8060-8069:80", "-p", "81")
  expect((await a.connect("10.54.0.3", 80)).error).toBe("ECONNREFUSED")
  await create("inner", "--internal", "--subnet", "10.55.0.0/24")
  const inner = await docker.run("inner", "--network", "inner", "-p", "8055:80")
  expect(await inner.ip(["route", "show", "default"])).toEqual([])
  expect((await inner.ip(["address", "show"])).map(({ ifname }) => ifname)).toEqual(["lo", "eth0"])
  expect((await inner.connect("10.55.0.1", 1)).error).toBe("ECONNREFUSED")

  // One of several host ports, or any: who comes first has the first.
  const c = await docker.run("ac", "--network", "ranged", "-p", "8060-8069:80")
  const published = (await linkspan.list()).flatMap(({ publications }) => publications)
  const ports = published.filter(({ containerPort }) => containerPort === 80).map(({ hostPort }) => hostPort)
  expect(ports.toSorted()).toEqual([8051, 8060, 8061])
  expect(published.find(({ containerPort }) => containerPort === 81)?.hostPort).toBeGreaterThan(49_151)
  {
    await using _web = await c.listen(80)
    expect(await host.outside.connect(ADDRESSES.host4, 8061)).toMatchObject({ ok: true })
  }

  // Without NAT, the container's own address is what is open, at its published ports.
  await create("routed", "-o", `${BRIDGE}.gateway_mode_ipv4=routed`, "--subnet", "10.56.0.0/24")
  const routed = await docker.run("routed", "--network", "routed", "-p", "80:80")
  await host.outside.exec(["ip", "route", "add", "10.56.0.0/24", "via", ADDRESSES.host4])
  {
    await using _web = await routed.listen(80)
    await using _other = await routed.listen(82)
    expect(await host.outside.connect("10.56.0.2", 80)).toMatchObject({ ok: true, seenAs: ADDRESSES.outside4 })
    expect((await host.outside.connect("10.56.0.2", 82, { timeoutMs: 500 })).ok).toBe(false)
  }

  // What leaves keeps its address, or gets one that was chosen; published ports are as ever, and others where it is said.
  await create("plain", "-o", `${BRIDGE}.enable_ip_masquerade=false`, "--subnet", "10.57.0.0/24")
  await host.exec(["ip", "address", "add", "192.0.2.77/24", "dev", "uplink"])
  const open = ["-o", `${BRIDGE}.gateway_mode_ipv4=nat-unprotected`]
  await create("chosen", ...open, "-o", "com.docker.network.host_ipv4=192.0.2.77", "--subnet", "10.58.0.0/24")
  const plain = await docker.run("plain", "--network", "plain", "-p", "8057:80")
  const chosen = await docker.run("chosen", "--network", "chosen")
  await host.outside.exec(["ip", "route", "add", "10.56.0.0/14", "via", ADDRESSES.host4])
  {
    await using _open = await chosen.listen(82)
    expect(await host.outside.connect("10.58.0.2", 82)).toMatchObject({ ok: true, seenAs: ADDRESSES.outside4 })
    await using beyond = await host.outside.listen(443)
    await using _web = await plain.listen(80)
    const seenAs = async (from: typeof plain) => (await from.connect(ADDRESSES.outside4, beyond.port)).seenAs
    expect([await seenAs(plain), await seenAs(chosen)]).toEqual(["10.57.0.2", "192.0.2.77"])
    expect(await host.outside.connect(ADDRESSES.host4, 8057)).toMatchObject({ ok: true, seenAs: ADDRESSES.outside4 })
    expect((await host.outside.connect("10.57.0.2", 80, { timeoutMs: 500 })).ok).toBe(false)
  }

  await host.exec(["ip", "address", "del", "192.0.2.77/24", "dev", "uplink"])

  // Of one connection: what Docker passes on and nobody would obey.
  const knob = (option: string) => docker.try("network", "connect", "--driver-opt", option, "ranged", "plain")
  expect((await knob("com.docker.network.endpoint.ifname=net7")).stderr).toContain("Docker names the interfaces")
  expect((await knob("com.docker.network.endpoint.sysctls=a=1")).stderr).toContain("this version of Docker")
  expect((await knob("speed=fast")).stderr).toContain("speed is no option of an endpoint")

  // Without a subnet each gets another one, of both families; the host's routes and addresses are kept clear of.
  await host.exec(["ip", "route", "add", "blackhole", "10.201.0.0/16"])
  for (const name of ["p", "q"]) {
    await create(name, "--ipam-driver", "linkspan", "--ipv6")
  }
  const subnets = (await linkspan.networks.list()).flatMap((network) =>
    network.subnets.length === 2 ? network.subnets : [],
  )
  const found = subnets.filter((subnet) => !subnet.startsWith("10.5"))
  expect(new Set(found).size).toBe(4)
  expect(found.filter((subnet) => subnet.startsWith("fd")).length).toBe(2)
  expect(found.some((subnet) => subnet.startsWith("10.201."))).toBe(false)

  await host.exec(["ip", "route", "del", "blackhole", "10.201.0.0/16"])
  await docker.ok("rm", "-f", "named", "ranged", "fixed", "aa", "ab", "ac", "inner", "routed", "plain", "chosen")
  await docker.ok("network", "rm", "named", "ranged", "apart", "inner", "routed", "plain", "chosen", "p", "q")
  expect(await linkspan.networks.list()).toEqual([])
})
