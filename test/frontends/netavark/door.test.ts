// The edges of the door: requests that are wrong, calls that come together, twice, or are killed.

import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { Bundle } from "../../bundle.ts"
import { Host } from "../../host.ts"
import type { Netns } from "../../netns.ts"
import { run } from "../../run.ts"
import { MAIN, netavark } from "./call.ts"
import { answerOf } from "./in-process.ts"
import { options, PORT } from "./request.ts"

const NOWHERE = "/nonexistent/netns"

const MISTAKES: readonly (readonly [string, unknown, string])[] = [
  ["no JSON", "{", "failed to load network options: IO error: "],
  ["nothing", "", "failed to load network options: IO error: EOF while parsing a value"],
  ["a list", [], "invalid type: sequence, expected a map"],
  ["no container", options({ rest: { container_id: undefined } }), "missing field `container_id`"],
  ["a number as name", options({ rest: { container_name: 7 } }), "invalid type: number `7`, expected a string"],
  ["no description", options({ rest: { network_info: {} } }), 'no network information for network "n1"'],
  ["text as truth", options({ network: { internal: "no" } }), "expected a boolean"],
  ["another driver", options({ network: { driver: "foo" } }), 'unknown network driver "foo"'],
  ["another ipam", options({ network: { ipam_options: { driver: "x" } } }), "unsupported ipam driver x"],
  ["no addresses", options({ attachment: { static_ips: [] } }), "no static ips provided"],
  [
    "an address elsewhere",
    options({ attachment: { static_ips: ["10.1.0.1"] } }),
    "not all static IPs matched a subnet: expected 1, got 0",
  ],
  ["no address at all", options({ attachment: { static_ips: ["x"] } }), "invalid IP address syntax"],
  [
    "a long name",
    options({ attachment: { interface_name: "waytoolongifname1" } }),
    "Numerical result out of range (os error 34)",
  ],
  [
    "the loopback's name",
    options({ attachment: { interface_name: "lo" } }),
    "interface lo already exists on container namespace",
  ],
  ["a path as name", options({ attachment: { interface_name: "../x" } }), "invalid interface name"],
  ["a MAC", options({ attachment: { static_mac: "zz" } }), "failed to parse static mac address"],
  [
    "a host address",
    options({ ports: [{ ...PORT, host_ip: "abcd" }] }),
    'invalid host ip "abcd" provided for port 8080',
  ],
  ["a protocol", options({ ports: [{ ...PORT, protocol: "icmp" }] }), "unknown port protocol icmp"],
  ["a port too high", options({ ports: [{ ...PORT, host_port: 65536 }] }), "expected u16"],
  ["a port without a range", options({ ports: [{ ...PORT, range: undefined }] }), "missing field `range`"],
  ["an MTU", options({ network: { options: { mtu: "x" } } }), 'unable to parse option "mtu"'],
  ["a VLAN", options({ network: { options: { vlan: "x" } } }), 'unable to parse option "vlan"'],
  ["a VLAN too high", options({ network: { options: { vlan: "4095" } } }), "vlan"],
  ["a bad namespace", options(), "invalid namespace path: IO error: No such file or directory (os error 2)"],
]

test("setup refuses what is wrong in netavark's way, and changes nothing", async () => {
  await using host = await Host.create({ uplink: false })
  for (const [mistake, input, want] of MISTAKES) {
    const text = typeof input === "string" ? input : JSON.stringify(input)
    const { code, answer } = await answerOf(host, ["setup", NOWHERE], text)
    expect({ mistake, code, answer }).toEqual({ mistake, code: 1, answer: { error: expect.stringContaining(want) } })
  }
})

test("what stands in the way is told in the words that people search for, and nothing is left", async () => {
  await using host = await Host.create({ uplink: false })
  const a = await host.netns("a")
  const link = (words: string): Promise<unknown> => host.exec(["ip", "link", ...words.split(" ")])
  await link("add host0 type veth peer name host1")
  await host.baseline()
  const dual = { ipv6_enabled: true, subnets: [{ subnet: "fd89::/64", gateway: "fd89::1" }] }
  for (const [request, want] of [
    [{ network: { network_interface: "host0" } }, "bridge interface host0 already exists but is a veth interface"],
    [
      { network: { network_interface: "host0", options: { mode: "unmanaged" } } },
      "bridge interface host0 already exists but is a veth interface",
    ],
    [
      { network: { options: { mode: "unmanaged" } } },
      "in unmanaged mode, the bridge must already exist on the host: Netlink error: No such device (os error 19)",
    ],
    [
      { attachment: { options: { host_interface_name: "host0" } } },
      "create veth pair: interface eth0 already exists on container namespace or host0 exists on host namespace: Netlink error: File exists (os error 17)",
    ],
  ] as const) {
    const { code, answer } = await answerOf(host, ["setup", a.path], JSON.stringify(options(request)))
    expect({ code, answer }).toEqual({ code: 1, answer: { error: want } })
    expect(await host.changes()).toEqual([])
  }
  await host.exec(["sysctl", "-q", "-w", "net.ipv6.conf.default.disable_ipv6=1"])
  const without6 = options({ network: dual, attachment: { static_ips: ["fd89::2"] } })
  expect((await answerOf(host, ["setup", a.path], JSON.stringify(without6))).answer).toEqual({
    error:
      "add ip addr to bridge: failed to add ipv6 address, is ipv6 enabled in the kernel?: Netlink error: Permission denied (os error 13)",
  })
  await host.exec(["sysctl", "-q", "-w", "net.ipv6.conf.default.disable_ipv6=0"])
  expect(await host.changes()).toEqual([])
}, 60_000)

test("settings that cannot be written matter only where they are not so already", async () => {
  await using host = await Host.create({ uplink: false })
  const a = await host.netns("a")
  mkdirSync(host.file("networks"))
  const input = JSON.stringify(options({ network: { dns_enabled: false } }))
  const readOnly = `mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"`
  const call = (verb: string): ReturnType<typeof run> => {
    const program = [process.execPath, "--no-env-file", MAIN, "netavark", "--config", host.file("networks")]
    return run(host.enter(["unshare", "--mount", "sh", "-c", readOnly, "sh", ...program, verb, a.path]), {
      input,
      env: { PATH: process.env["PATH"], LINKSPAN_STATE_DIR: host.stateDir, LINKSPAN_RUN_DIR: host.runDir },
    })
  }
  const refused = await call("setup")
  expect(refused.json<object>()).toEqual({
    error: "set sysctl net/ipv4/ip_forward: IO error: Read-only file system (os error 30)",
  })
  expect(await host.changes()).toEqual([])
}, 60_000)

test("eight containers are set up and torn down at once, twice, and nothing is left", async () => {
  using bundle = await Bundle.of(MAIN)
  await using host = await Host.create({ uplink: false })
  const config = host.file("networks")
  mkdirSync(config)
  const namespaces = await Promise.all(Array.from({ length: 8 }, (_, n) => host.netns(`c${n}`)))
  const all = (verb: string): Promise<{ code: number; stdout: string }[]> =>
    Promise.all(
      namespaces.map(({ path }, n) =>
        netavark(host, [verb, path], {
          config,
          aardvark: "/bin/true",
          program: bundle.path,
          input: options({ number: n + 1, ports: [{ ...PORT, host_port: 8080 + n }] }),
        }),
      ),
    )
  expect((await all("setup")).map(({ code }) => code)).toEqual(new Array(8).fill(0))
  const file = readFileSync(`${config}/aardvark-dns/n1`, "utf8").trimEnd().split("\n")
  expect(file[0]).toBe("10.89.0.1")
  expect(
    file
      .slice(1)
      .map((line) => line.split(" ").slice(1).join(" "))
      .sort(),
  ).toEqual(Array.from({ length: 8 }, (_, n) => `10.89.0.${n + 2}  c${n + 1}`))
  expect((await host.ip(["link", "show", "master", "podman1"])).length).toBe(8)
  expect((await all("teardown")).map(({ code, stdout }) => [code, stdout])).toEqual(new Array(8).fill([0, ""]))
  expect(existsSync(`${config}/aardvark-dns/n1`)).toBe(false)
  expect(await host.changes()).toEqual([])
  expect((await all("teardown")).map(({ code }) => code)).toEqual(new Array(8).fill(0))
}, 180_000)

test("a failing aardvark-dns undoes the setup", async () => {
  await using host = await Host.create({ uplink: false })
  const config = host.file("networks")
  mkdirSync(config)
  const a = await host.netns("a")
  const ran = await netavark(host, ["setup", a.path], { config, aardvark: "/bin/false", input: options() })
  expect(ran.json<object>()).toEqual({
    error: "error while applying dns entries: aardvark-dns exited unexpectedly without error message",
  })
  expect(existsSync(`${config}/aardvark-dns/n1`)).toBe(false)
  expect(await host.changes()).toEqual([])
})

test("what another packet filter of the host refuses is told where nobody parses it", async () => {
  await using host = await Host.create()
  const a = await host.netns("a")
  const theirs = "table inet theirs { chain forward { type filter hook forward priority 0; policy drop; }; }"
  await host.exec(["nft", theirs])
  const input = JSON.stringify(options())
  const { code, told } = await answerOf(host, ["setup", a.path], input)
  expect({ code, told }).toEqual({
    code: 0,
    told: expect.stringMatching(/^\[WARN {2}netavark::firewall\] A packet filter of this host refuses IPv4.*\n$/),
  })
  expect(await answerOf(host, ["teardown", a.path], input)).toMatchObject({ code: 0 })
  await host.exec(["nft", "delete table inet theirs"])
})

test.each<[string, (host: Host, a: Netns) => Promise<unknown>]>([
  ["a flushed ruleset", (host) => host.exec(["nft", "flush", "ruleset"])],
  ["a bridge that somebody removed", (host) => host.exec(["ip", "link", "del", "podman1"])],
  ["a cable that somebody cut", (_, a) => a.exec(["ip", "link", "del", "eth0"])],
  ["a namespace that is gone", (host, a) => host.removeNetns(a)],
  [
    "a reboot",
    async (host, a) => {
      await host.removeNetns(a)
      await host.exec(["ip", "link", "del", "podman1"])
      await host.exec(["nft", "flush", "ruleset"])
      using state = new Database(`${host.stateDir}/linkspan.db`)
      state.run("UPDATE sandbox SET body = json_set(body, '$.netns.bootId', '00000000-0000-4000-8000-000000000000')")
    },
  ],
])("after %s teardown removes the rest, and says nothing the second time either", async (_, happens) => {
  await using host = await Host.create({ uplink: false })
  const a = await host.netns("a")
  const input = JSON.stringify(options({ ports: [PORT] }))
  expect(await answerOf(host, ["setup", a.path], input)).toMatchObject({ code: 0 })
  await happens(host, a)
  for (const _again of [1, 2]) {
    expect(await answerOf(host, ["teardown", a.path], input)).toEqual({ code: 0, answer: undefined, told: "" })
  }
  await using linkspan = await host.linkspan()
  expect(await linkspan.networks.list()).toEqual([])
  expect(await host.changes()).toEqual([])
})

test("teardown finishes for a namespace that is gone, and update changes whom names are asked of", async () => {
  await using host = await Host.create({ uplink: false })
  const config = host.file("networks")
  mkdirSync(config)
  const a = await host.netns("a")
  expect((await netavark(host, ["setup", a.path], { config, aardvark: "/bin/true", input: options() })).code).toBe(0)
  await netavark(host, ["update", "n1", "--network-dns-servers", "8.8.8.8,1.1.1.1"], { config })
  expect(readFileSync(`${config}/aardvark-dns/n1`, "utf8")).toStartWith("10.89.0.1 8.8.8.8,1.1.1.1\n")
  await netavark(host, ["update", "n1", "--network-dns-servers", ""], { config })
  expect(readFileSync(`${config}/aardvark-dns/n1`, "utf8")).toStartWith("10.89.0.1\n")
  const path = a.path
  await host.removeNetns(a)
  expect((await netavark(host, ["teardown", path], { config, input: options() })).code).toBe(0)
})
