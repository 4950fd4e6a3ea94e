import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { CAPABILITIES, parseCapability } from "./capability.ts"
import { checkRun, type Run } from "./validate-run.ts"

const RUN = {
  command: ["sh"],
  mode: { kind: "private" },
  networks: [],
  publish: [],
  labels: {},
  detach: false,
  autoRemove: false,
  log: { maxBytes: 8_388_608, files: 2 },
  env: {},
  capAdd: [],
} as const

describe("checkRun() accepts", () => {
  test.each<[string, object, object]>([
    ["a command alone", {}, {}],
    ["empty arguments", { command: ["sh", "-c", ""] }, { command: ["sh", "-c", ""] }],
    ["the modes", { mode: "none" }, { mode: { kind: "none" } }],
    ["the modes", { mode: "host" }, { mode: { kind: "host" } }],
    ["the modes", { mode: "container:api" }, { mode: { kind: "shared", container: "api" } }],
    ["empty lists beside a mode", { mode: "host", networks: [], publish: [] }, { mode: { kind: "host" } }],
    [
      "capabilities in any spelling",
      { capAdd: ["NET_ADMIN", "cap_net_raw", "CAP_NET_ADMIN"] },
      { capAdd: ["NET_ADMIN", "NET_RAW"] },
    ],
    ["an environment", { env: { A: "", "b.c": "x=y\n" } }, { env: { A: "", "b.c": "x=y\n" } }],
    [
      "a limit of the log",
      { detach: true, log: { maxBytes: 1024 } },
      { detach: true, log: { maxBytes: 1024, files: 2 } },
    ],
    [
      "all of it",
      { detach: true, log: { maxBytes: 2 ** 40, files: 10 } },
      { detach: true, log: { maxBytes: 2 ** 40, files: 10 } },
    ],
    [
      "the rest",
      {
        name: "api",
        hostname: "api",
        rootfs: "/",
        detach: true,
        autoRemove: true,
        workdir: "/tmp",
        user: "1000:www-data",
      },
      {
        name: "api",
        hostname: "api",
        rootfs: "/",
        detach: true,
        autoRemove: true,
        workdir: "/tmp",
        user: "1000:www-data",
      },
    ],
  ])("%s %p", (_, request, want) => {
    expect(checkRun({ command: ["sh"], ...request })).toEqual({
      issues: [],
      value: { ...RUN, ...want } as unknown as Run,
    })
  })

  test("networks and ports", () => {
    const { value } = checkRun({
      command: ["sh"],
      networks: [{ network: "web" }, { network: "db" }],
      publish: [{ containerPort: 80 }],
    })
    expect(value?.networks.map(({ network }) => network)).toEqual(["web", "db"])
    expect(value?.publish).toEqual([{ protocol: "tcp", containerPort: 80, count: 1 }])
  })
})

describe("checkRun() refuses", () => {
  test.each<[string, object, string[]]>([
    ["no command", { command: undefined }, ["command is missing"]],
    [
      "a log of a size that makes no sense",
      { detach: true, log: { maxBytes: 1023, files: 11, name: "x" } },
      [
        "log has no field",
        "log.maxBytes must be a whole number from 1024 to 1099511627776 bytes, not 1023",
        "log.files must be a whole number from 1 to 10, not 11",
      ],
    ],
    [
      "a limit of the log in the foreground",
      { log: { files: 3 } },
      ["log is for containers in the background: what one in the foreground prints goes to its caller"],
    ],
    ["an empty command", { command: [] }, ["command names no program to run"]],
    ["an empty program", { command: ["", "x"] }, ["command names no program to run"]],
    ["a command line", { command: "sh -c true" }, ['command must be a list, not "sh -c true"']],
    ["a number for an argument", { command: ["sleep", 5] }, ["command[1] must be text, not 5"]],
    ["a number for a program", { command: [5] }, ["command[0] must be text, not 5"]],
    ["NUL in an argument", { command: ["sh", "a\0b"] }, [String.raw`command[1] "a\u0000b" has a character`]],
    [
      "an argument beyond the kernel's limit",
      { command: ["sh", "x".repeat(131072)] },
      [`command[1] "${"x".repeat(80)}…" has 131072 characters; at most 131071 are allowed`],
    ],
    ["a network for a mode", { mode: "bridge" }, ['mode must be "host", "none" or "container:NAME", not "bridge"']],
    [
      "a mistyped mode",
      { mode: "nome" },
      ['mode must be "host", "none" or "container:NAME", not "nome"; did you mean "none"?'],
    ],
    ["nobody's namespace", { mode: "container:" }, ['mode "" is not a container\'s name']],
    [
      "networks beside a mode",
      { mode: "host", networks: [{ network: "web" }] },
      [`networks is not possible in mode "host": the container is on the host's own network`],
    ],
    [
      "ports beside a mode",
      { mode: "none", publish: [{ containerPort: 80 }] },
      ['publish is not possible in mode "none": the container has no network at all'],
    ],
    [
      "ports of another's namespace",
      { mode: "container:api", publish: [{ containerPort: 80 }] },
      [`publish is not possible in mode "container:api": the container uses another's network; ask for it there`],
    ],
    [
      "a relative rootfs",
      { rootfs: "rootfs", workdir: "tmp" },
      ['rootfs "rootfs" is not an absolute path', 'workdir "tmp" is not an absolute path'],
    ],
    ["a variable with =", { env: { "A=B": "x" } }, ['env "A=B" is not a variable\'s name']],
    ["a variable without name", { env: { "": "x" } }, ['env "" is not a variable\'s name']],
    ["a number for a variable", { env: { A: 1 } }, ["env.A must be text, not 1"]],
    [
      "an unknown capability",
      { capAdd: ["NET_ADMN", "ALL"] },
      [
        'capAdd[0] "NET_ADMN" is not a capability of capabilities(7); did you mean "NET_ADMIN"?',
        'capAdd[1] "ALL" is not a capability of capabilities(7)',
      ],
    ],
    ["a bad user", { user: "a:b:c" }, ['user "a:b:c" is not a user: write USER, USER:GROUP, UID or UID:GID']],
    ["an empty user", { user: "" }, ['user "" is not a user']],
    ["no change of user", { user: "4294967295" }, ['user "4294967295" is not a user']],
    ["text for a switch", { detach: "yes" }, ['detach must be true or false, not "yes"']],
    ["an unknown field", { network: "web" }, [' has no field "network"; did you mean "networks"?']],
  ])("%s", (_, request, want) => {
    const { issues, value } = checkRun({ command: ["sh"], ...request })
    expect(value).toBeUndefined()
    expect(issues).toHaveLength(want.length)
    for (const [index, { path, message }] of issues.entries()) {
      expect(`${path} ${message}`).toStartWith(want[index] ?? "?")
    }
  })

  test("or accepts whatever it is given", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (command, env, user) => {
        const { issues, value } = checkRun({ command, env, user })
        expect(value === undefined).toBe(issues.length > 0)
      }),
    )
  })
})

test("capabilities have their kernel numbers", () => {
  // include/uapi/linux/capability.h
  const known = { CHOWN: 0, NET_ADMIN: 12, NET_RAW: 13, SYS_ADMIN: 21, SETFCAP: 31, BPF: 39, CHECKPOINT_RESTORE: 40 }
  for (const [name, number] of Object.entries(known)) {
    expect((CAPABILITIES as readonly string[]).indexOf(name)).toBe(number)
  }
  expect(parseCapability("CAP_CAP_CHOWN")).toBeUndefined()
})
