import { describe, expect, test } from "bun:test"
import { ofFamilies, publicationsOf } from "./ports.ts"

const NONE = { hostBinding: undefined }
const portMap = (...entries: unknown[]) => ({ "com.docker.network.portmap": entries })
const entry = (Port: number, HostPort: number, more: object = {}) => ({
  Proto: 6,
  IP: "",
  Port,
  HostIP: "",
  HostPort,
  HostPortEnd: HostPort,
  ...more,
})

describe("publicationsOf()", () => {
  const cases: readonly { name: string; in: unknown[]; binding?: string; want: unknown }[] = [
    { name: "reads one port", in: [entry(80, 8080)], want: [{ protocol: "tcp", hostPort: 8080, containerPort: 80 }] },
    { name: "leaves port 0 to linkspan", in: [entry(53, 0)], want: [{ protocol: "tcp", containerPort: 53 }] },
    {
      name: "makes one publication of a range in any order",
      in: [entry(7002, 9002), entry(7000, 9000), entry(7001, 9001)],
      want: [{ protocol: "tcp", hostPort: 9000, containerPort: 7000, count: 3 }],
    },
    {
      name: "keeps ports apart that do not run alike",
      in: [entry(80, 8080), entry(443, 8081), entry(80, 8082, { Proto: 17 })],
      want: [
        { protocol: "tcp", hostPort: 8080, containerPort: 80 },
        { protocol: "tcp", hostPort: 8081, containerPort: 443 },
        { protocol: "udp", hostPort: 8082, containerPort: 80 },
      ],
    },
    {
      name: "keeps the addresses of the host apart",
      in: [entry(80, 8080, { HostIP: "127.0.0.1" }), entry(81, 8081)],
      want: [
        { protocol: "tcp", hostPort: 8081, containerPort: 81 },
        { protocol: "tcp", hostIp: "127.0.0.1", hostPort: 8080, containerPort: 80 },
      ],
    },
    {
      name: "lets one of several host ports be chosen",
      in: [entry(80, 8000, { HostPortEnd: 8010, Proto: 132 })],
      want: [{ protocol: "sctp", hostPort: 8000, hostPortEnd: 8010, containerPort: 80 }],
    },
    {
      name: "publishes at the network's address where none is named",
      in: [entry(80, 8080), entry(81, 8081, { HostIP: "192.0.2.1" })],
      binding: "127.0.0.1",
      want: [
        { protocol: "tcp", hostIp: "127.0.0.1", hostPort: 8080, containerPort: 80 },
        { protocol: "tcp", hostIp: "192.0.2.1", hostPort: 8081, containerPort: 81 },
      ],
    },
  ]
  for (const { name, in: entries, binding, want } of cases) {
    test(name, () => {
      expect(publicationsOf(portMap(...entries), { hostBinding: binding })).toEqual(want as never)
    })
  }

  test("finds none where Docker names none", () => {
    expect(publicationsOf({}, NONE)).toEqual([])
    expect(publicationsOf({ "com.docker.network.portmap": null }, NONE)).toEqual([])
  })

  test("refuses a protocol without ports", () => {
    expect(() => publicationsOf(portMap(entry(1, 1, { Proto: 1 })), NONE)).toThrow("IP protocol 1")
  })
})

test("ofFamilies() leaves the other family's ports to others on a network of one", () => {
  const ports = [{ containerPort: 1 }, { containerPort: 2, hostIp: "::1" }, { containerPort: 3, hostIp: "127.0.0.1" }]
  expect(ofFamilies(ports, new Set([4, 6]))).toEqual(ports)
  expect(ofFamilies(ports, new Set([4]))).toEqual([{ containerPort: 1, hostIp: "0.0.0.0" }, ports[2] as never])
  expect(ofFamilies(ports, new Set([6]))).toEqual([{ containerPort: 1, hostIp: "::" }, ports[1] as never])
})
