import { describe, expect, test } from "bun:test"
import { rootField } from "./field.ts"
import { readContainerDns, readRecords, readServers } from "./validate-dns.ts"
import { checkCreateNetwork } from "./validate-network.ts"
import { checkUpdateNetwork } from "./validate-update.ts"

function read<T>(reader: (field: ReturnType<typeof rootField>) => T, value: unknown) {
  const field = rootField(value)
  return { value: reader(field), problems: field.issues.map(({ path, message }) => `${path} ${message}`.trim()) }
}

describe("servers", () => {
  for (const { value, problem } of [
    { value: "0.0.0.0", problem: "0.0.0.0 is no address of a single server" },
    { value: "ff02::1", problem: "ff02::1 is no address of a single server" },
    { value: "fe80::1", problem: "fe80::1 is link-local: it means something on one interface only" },
    { value: "dns.example", problem: '"dns.example" is not an address' },
  ]) {
    test(`refuse ${value}`, () => {
      expect(read(readServers, [value]).problems[0]).toContain(problem)
    })
  }

  test("may be on the loopback interface: the host's", () => {
    expect(read(readServers, ["127.0.0.53", "2001:DB8::1"])).toMatchObject({
      value: ["127.0.0.53", "2001:db8::1"],
      problems: [],
    })
  })
})

describe("records", () => {
  const whole = (value: unknown) => read((field) => readRecords(field, { whole: true }), value)

  test("have one spelling each", () => {
    expect(whole([{ name: "*.Apps.Example.", addresses: ["10.0.0.9", "fd00::9"] }])).toMatchObject({
      value: [{ name: "*.apps.example", addresses: ["10.0.0.9", "fd00::9"] }],
      problems: [],
    })
  })

  for (const name of ["", ".", "a..b", "-a", "a.*.b", "*", "a b", "x".repeat(64), `${"a.".repeat(127)}a`, "ä"]) {
    test(`refuse the name ${JSON.stringify(name.slice(0, 20))}`, () => {
      expect(whole([{ name, addresses: ["10.0.0.1"] }]).problems).toHaveLength(1)
    })
  }

  test("need an address, except to be taken away", () => {
    expect(whole([{ name: "a", addresses: [] }]).problems).toEqual([
      "[0].addresses is empty; give at least one address",
    ])
    expect(read((field) => readRecords(field, { whole: false }), [{ name: "a", addresses: [] }]).problems).toEqual([])
  })
})

describe("a container's own", () => {
  test("is nothing when nothing is in it", () => {
    expect(read(readContainerDns, {})).toEqual({ value: undefined, problems: [] })
    expect(read(readContainerDns, { servers: [] })).toEqual({ value: undefined, problems: [] })
  })

  test("is read whole", () => {
    expect(
      read(readContainerDns, {
        servers: ["192.0.2.53"],
        search: ["Example.ORG"],
        options: ["ndots:2", "rotate"],
        hosts: [{ name: "printer", addresses: ["192.0.2.9"] }],
        links: [{ container: "db-1", alias: "db" }],
      }),
    ).toMatchObject({
      value: {
        servers: ["192.0.2.53"],
        search: ["example.org"],
        options: ["ndots:2", "rotate"],
        records: [{ name: "printer", addresses: ["192.0.2.9"] }],
        links: [{ container: "db-1", alias: "db" }],
      },
      problems: [],
    })
  })

  test("has all its mistakes told", () => {
    const { problems } = read(readContainerDns, {
      search: ["*.example"],
      options: ["no good"],
      links: [{ container: "db" }],
    })
    expect(problems.map((problem) => problem.split(" ", 1)[0])).toEqual(["search[0]", "options[0]", "links[0].alias"])
  })
})

describe("a network's", () => {
  test("is absent when nothing is said that is not so anyway", () => {
    expect(checkCreateNetwork({ name: "web", dns: true }).value).not.toHaveProperty("dns")
    expect(checkCreateNetwork({ name: "web", dns: false }).value?.dns).toEqual({
      enabled: false,
      servers: [],
      records: [],
    })
  })

  test("has no servers where no names are answered", () => {
    expect(checkCreateNetwork({ name: "web", dns: false, dnsServers: ["192.0.2.53"] }).issues).toEqual([
      { path: "dnsServers", message: "is of no use while dns is false: no names are answered on the network" },
    ])
  })

  test("has a port where another program answers, or none", () => {
    const asked = { name: "web", dnsElsewhere: true }
    expect(checkCreateNetwork({ ...asked, dnsPort: 5353 }).value?.dns).toMatchObject({ elsewhere: true, port: 5353 })
    expect(checkCreateNetwork({ ...asked, dnsPort: 53 }).value?.dns).not.toHaveProperty("port")
    expect(checkCreateNetwork({ name: "web", dnsPort: 5353 }).issues).toEqual([
      { path: "dnsPort", message: "is possible only with dnsElsewhere: linkspan itself answers at port 53" },
    ])
  })

  test("can be changed", () => {
    expect(
      checkUpdateNetwork({ network: "web", dns: false, dnsServers: [], dnsRecords: [{ name: "a", addresses: [] }] })
        .value,
    ).toMatchObject({ dns: false, dnsServers: [], dnsRecords: [{ name: "a", addresses: [] }] })
  })
})
