import { expect, test } from "bun:test"
import fc from "fast-check"
import { checkAttach } from "./validate-attach.ts"

const JOIN = { network: "web", addresses: [], gatewayPriority: 0, aliases: [] }

test.each([
  { netns: { kind: "path", path: "/run/netns/x" } },
  { netns: { kind: "pid", pid: 4194304 } },
  { netns: { kind: "new", name: "x" } },
] as const)("checkAttach() accepts $netns", ({ netns }) => {
  expect(checkAttach({ netns, networks: [{ network: "web" }] })).toEqual({
    issues: [],
    value: { netns, networks: [JOIN], publish: [], labels: {} },
  })
})

test("checkAttach() accepts everything at once", () => {
  const request = {
    name: "api",
    hostname: "api.example",
    netns: { kind: "pid", pid: 1 },
    networks: [{ network: "web" }],
    publish: [{ hostPort: 8080, containerPort: 80 }],
    labels: { a: "b" },
  } as const
  expect(checkAttach(request).value).toEqual({
    ...request,
    networks: [JOIN],
    publish: [{ protocol: "tcp", hostPort: 8080, containerPort: 80, count: 1 }],
  })
  expect(checkAttach({ netns: request.netns, networks: [] }).issues).toEqual([])
})

test.each<[string, object, string[]]>([
  ["no namespace", { netns: undefined }, ["netns is missing"]],
  ["no kind", { netns: {} }, ["netns.kind is missing"]],
  ["another kind", { netns: { kind: "name" } }, ['netns.kind must be "path", "pid" or "new", not "name"']],
  ["text", { netns: "/run/netns/x" }, ['netns must be an object, not "/run/netns/x"']],
  [
    "a relative path",
    { netns: { kind: "path", path: "netns/x" } },
    ['netns.path "netns/x" is not an absolute path; begin it with "/"'],
  ],
  [
    "a long path",
    { netns: { kind: "path", path: `/${"x".repeat(4095)}` } },
    [`netns.path "/${"x".repeat(79)}…" has 4096 characters; at most 4095 are allowed`],
  ],
  [
    "NUL in a path",
    { netns: { kind: "path", path: "/run\0" } },
    [String.raw`netns.path "/run\u0000" has a character that cannot be stored (NUL or half a surrogate pair)`],
  ],
  ["fields of another kind", { netns: { kind: "pid", pid: 1, path: "/x" } }, ['netns has no field "path"']],
  ["PID 0", { netns: { kind: "pid", pid: 0 } }, ["netns.pid must be a whole number from 1 to 4194304, not 0"]],
  [
    "a name that is a path",
    { netns: { kind: "new", name: "../x" } },
    ['netns.name "../x" is not a name: use 1 to 63 letters'],
  ],
  ["no networks", { networks: undefined }, ["networks is missing"]],
  [
    "ports without a network",
    { networks: [], publish: [{ containerPort: 80 }] },
    ["publish needs a network: name at least one in networks"],
  ],
  ["a host name", { hostname: "my_host" }, ['hostname "my_host" is not a host name: use up to 63']],
  [
    "several mistakes",
    { name: "-", networks: [{ network: "-" }], publish: [{}] },
    ["networks[0].network", "publish[0].containerPort is missing", "name"],
  ],
])("checkAttach() refuses %s", (_, request, want) => {
  const { issues, value } = checkAttach({ netns: { kind: "pid", pid: 1 }, networks: [{ network: "web" }], ...request })
  expect(value).toBeUndefined()
  expect(issues).toHaveLength(want.length)
  for (const [index, { path, message }] of issues.entries()) {
    expect(`${path} ${message}`).toStartWith(want[index] ?? "?")
  }
})

test("checkAttach() gives a value or issues for whatever it is given", () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), fc.anything(), (netns, networks, publish) => {
      const { issues, value } = checkAttach({ netns, networks, publish })
      expect(value === undefined).toBe(issues.length > 0)
    }),
  )
})
