import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { rootField } from "./field.ts"
import type { Network } from "./network.ts"
import { checkConnect, checkJoin, type Join, joinMisfits, readJoins } from "./validate-join.ts"

describe("checkJoin()", () => {
  test("fills in what is absent", () => {
    expect(checkJoin({ network: "web" })).toEqual({
      issues: [],
      value: { network: "web", addresses: [], gatewayPriority: 0, aliases: [] },
    })
  })

  test("gives canonical values", () => {
    const request = {
      network: "web",
      addresses: ["10.9.0.5", "FD00:0::5"],
      mac: "02-42-AC-11-00-02",
      ifname: "eth7",
      gatewayPriority: -5,
      aliases: ["api", "my_service", "api"],
    }
    expect(checkJoin(request).value).toEqual({
      network: "web",
      addresses: ["10.9.0.5", "fd00::5"],
      mac: "02:42:ac:11:00:02",
      ifname: "eth7",
      gatewayPriority: -5,
      aliases: ["api", "my_service"],
    } as unknown as Join)
  })

  test.each<[string, object, string[]]>([
    ["no network", { network: undefined }, ["network is missing"]],
    [
      "an address with length",
      { addresses: ["10.9.0.5/24"] },
      ['addresses[0] "10.9.0.5/24" is not an address: an address has no /LENGTH'],
    ],
    [
      "special addresses",
      {
        addresses: [
          "0.0.0.0",
          "::",
          "224.0.0.1",
          "ff02::1",
          "127.0.0.1",
          "::1",
          "169.254.1.1",
          "fe80::1",
          "255.255.255.255",
        ],
      },
      [
        "addresses[0] 0.0.0.0 cannot be a container's address: it is the unspecified address",
        "addresses[1] :: cannot be a container's address: it is the unspecified address",
        "addresses[2] 224.0.0.1 cannot be a container's address: it is a multicast address",
        "addresses[3] ff02::1 cannot be a container's address: it is a multicast address",
        "addresses[4] 127.0.0.1 cannot be a container's address: it is a loopback address",
        "addresses[5] ::1 cannot be a container's address: it is a loopback address",
        "addresses[6] 169.254.1.1 cannot be a container's address: it is a link-local address",
        "addresses[7] fe80::1 cannot be a container's address: it is a link-local address",
        "addresses[8] 255.255.255.255 cannot be a container's address: it is the broadcast address",
      ],
    ],
    ["one address in two spellings", { addresses: ["fd00::5", "fd00:0::5"] }, ["addresses[1] fd00::5 is given twice"]],
    [
      "a multicast MAC",
      { mac: "01:00:5e:00:00:01" },
      ["mac 01:00:5e:00:00:01 is a multicast MAC address (its first byte is odd); an interface has a unicast one"],
    ],
    ["no MAC at all", { mac: "00:00:00:00:00:00" }, ["mac 00:00:00:00:00:00 is no address; the kernel refuses it"]],
    [
      "a MAC in another notation",
      { mac: "0242.ac11.0002" },
      ['mac "0242.ac11.0002" is not a MAC address; write six bytes, as in 02:00:0a:59:00:02'],
    ],
    [
      "the loopback interface",
      { ifname: "lo" },
      ['ifname "lo" is the loopback interface of every network namespace; choose another name'],
    ],
    [
      "a name for all interfaces",
      { ifname: "all" },
      [
        `ifname "all" is not an interface name: use 1 to 15 letters, digits, '_', '.' or '-', other than "all" and "default"`,
      ],
    ],
    [
      "a fractional priority",
      { gatewayPriority: 0.5 },
      ["gatewayPriority must be a whole number from -2147483648 to 2147483647, not 0.5"],
    ],
    ["a bad alias", { aliases: ["api", "a b"] }, ['aliases[1] "a b" is not a name: use 1 to 63']],
    ["too many aliases", { aliases: new Array(65).fill("a") }, ["aliases has 65 entries; at most 64 are allowed"]],
    ["an alias alone", { aliases: "api" }, ['aliases must be a list, not "api"']],
    [
      "an unknown field",
      { gatewayPriorty: 5, ip: "10.9.0.5" },
      [' has no field "gatewayPriorty"; did you mean "gatewayPriority"?', ' has no field "ip"'],
    ],
  ])("refuses %s", (_, request, want) => {
    const { issues, value } = checkJoin({ network: "web", ...request })
    expect(value).toBeUndefined()
    expect(issues).toHaveLength(want.length)
    for (const [index, { path, message }] of issues.entries()) {
      expect(`${path} ${message}`).toStartWith(want[index] ?? "?")
    }
  })

  test("gives a value or issues for whatever it is given", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (addresses, mac, gatewayPriority) => {
        const { issues, value } = checkJoin({ network: "web", addresses, mac, gatewayPriority })
        expect(value === undefined).toBe(issues.length > 0)
      }),
    )
  })
})

describe("checkConnect()", () => {
  test("needs container and network", () => {
    expect(checkConnect({}).issues.map(({ path, message }) => `${path} ${message}`)).toEqual([
      "container is missing",
      "network is missing",
    ])
    expect(checkConnect({ container: "api", network: "web" }).value).toEqual({
      container: "api",
      network: "web",
      addresses: [],
      gatewayPriority: 0,
      aliases: [],
    })
  })
})

describe("the joins of a new container", () => {
  const read = (value: unknown) => {
    const field = { ...rootField(value), path: "networks" }
    return { joins: readJoins(field), issues: field.issues.map(({ path, message }) => `${path} ${message}`) }
  }

  test("may be many", () => {
    const { joins, issues } = read([
      { network: "a", ifname: "eth0" },
      { network: "b", ifname: "eth1" },
      { network: "c" },
      { network: "d" },
    ])
    expect(issues).toEqual([])
    expect(joins.map(({ network }) => network)).toEqual(["a", "b", "c", "d"])
  })

  test("name each network and each interface once", () => {
    expect(read([{ network: "a", ifname: "eth0" }, { network: 5 }, { network: "a", ifname: "eth0" }]).issues).toEqual([
      "networks[1].network must be text, not 5",
      'networks[2].network joins network "a" a second time, after networks[0]',
      'networks[2].ifname names an interface "eth0" a second time, after networks[0]',
    ])
  })

  test("are at most 128", () => {
    expect(read(Array.from({ length: 129 }, (_, n) => ({ network: `n${n}` }))).issues).toEqual([
      "networks has 129 entries; at most 128 are allowed",
    ])
  })
})

describe("joinMisfits()", () => {
  const network = {
    name: "web",
    driver: "bridge",
    subnets: [{ prefix: "10.9.0.0/24" }, { prefix: "10.9.1.0/24" }, { prefix: "fd00::/64" }],
  } as unknown as Network

  test.each<[string, string[], string[]]>([
    ["no address", [], []],
    ["one a subnet", ["10.9.0.5", "10.9.1.5", "fd00::5"], []],
    [
      "a foreign address",
      ["10.9.2.5"],
      ['networks[0].addresses[0] 10.9.2.5 is in no subnet of network "web" (10.9.0.0/24, 10.9.1.0/24, fd00::/64)'],
    ],
    ["two of one subnet", ["10.9.0.5", "fd00::5", "10.9.0.6"], []],
    [
      "no host address",
      ["10.9.0.255"],
      ["networks[0].addresses[0] 10.9.0.255 is the broadcast address of subnet 10.9.0.0/24"],
    ],
    [
      "the anycast address",
      ["fd00::"],
      ["networks[0].addresses[0] fd00:: is the subnet-router anycast address of subnet fd00::/64 (RFC 4291 §2.6.1)"],
    ],
  ])("%s", (_, addresses, want) => {
    const issues = joinMisfits({ network: "web", addresses } as unknown as Join, network, "networks[0]")
    expect(issues.map(({ path, message }) => `${path} ${message}`)).toEqual(want)
  })

  test("a MAC cannot be chosen with ipvlan", () => {
    const join = { network: "lan", addresses: [], mac: "02:00:00:00:00:01" } as unknown as Join
    const issues = joinMisfits(join, { ...network, driver: "ipvlan" } as Network)
    expect(issues).toEqual([
      { path: "mac", message: "cannot be chosen with ipvlan: all containers share the parent's MAC address" },
    ])
  })
})
