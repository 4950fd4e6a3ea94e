// Every verb in every version with everything that can be wrong with a call: the code that the specification (and
// libcni's skeleton, whose order of checks this is) gives it, and an engine that is never asked to change anything.

import { describe, expect, test } from "bun:test"
import { runCni, runCniIpam } from "./door.ts"
import { COMMANDS, type Command } from "./request.ts"
import { isAtLeast, VERSIONS, type Version } from "./versions.ts"

const NEEDS = {
  ADD: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
  CHECK: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
  DEL: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"],
  GC: ["CNI_PATH"],
  STATUS: ["CNI_PATH"],
} as const satisfies Record<Command, readonly string[]>

const SINCE = { ADD: "0.3.0", DEL: "0.3.0", CHECK: "0.4.0", GC: "1.1.0", STATUS: "1.1.0" } as const

const VALUES: Readonly<Record<string, string>> = {
  CNI_CONTAINERID: "c1",
  CNI_NETNS: "/run/netns/x",
  CNI_IFNAME: "eth0",
  CNI_PATH: "/opt/cni/bin",
}

interface Case {
  readonly what: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: unknown
  readonly code: number
  /** Only these verbs look at it. */
  readonly only?: readonly Command[]
}

const WITH_CONTAINER = ["ADD", "DEL", "CHECK"] as const

function cases(command: Command, config: object): Case[] {
  return [
    ...NEEDS[command].flatMap((name) => [
      { what: `no ${name}`, env: { [name]: "" }, code: 4 },
      { what: `no ${name} and half a document`, env: { [name]: "" }, input: "{", code: 4 },
    ]),
    ...["", "../x", "-c", "c d", "c/d", "c\n"].map((id) => ({
      what: `container id ${JSON.stringify(id)}`,
      env: { CNI_CONTAINERID: id },
      code: 4,
      only: WITH_CONTAINER,
    })),
    ...["", ".", "..", "a/b", "a:b", "a b", "x".repeat(16)].map((ifname) => ({
      what: `interface ${JSON.stringify(ifname)}`,
      env: { CNI_IFNAME: ifname },
      code: 4,
      only: WITH_CONTAINER,
    })),
    { what: "CNI_ARGS that are none", env: { CNI_ARGS: "a=b;c" }, code: 4 },
    ...["", "{", "[]", "null", '"text"', "7", '{"name":"lab"} x'].map((input) => ({
      what: `input ${JSON.stringify(input)}`,
      input,
      code: 6,
    })),
    ...[undefined, "", "../x", "a b", 7, ["lab"]].map((name) => ({
      what: `name ${JSON.stringify(name)}`,
      input: { ...config, name },
      code: 7,
    })),
    ...["0.0.1", "0.2.0", "1.2.0", "2.0.0", "one"].map((cniVersion) => ({
      what: `version ${cniVersion}`,
      input: { ...config, cniVersion },
      code: 1,
    })),
    { what: "a version that is no text", input: { ...config, cniVersion: 1 }, code: 7 },
    { what: "runtimeConfig that is a list", input: { ...config, runtimeConfig: [] }, code: 7 },
    { what: "args that are text", input: { ...config, args: "x" }, code: 7 },
  ]
}

/** What is wrong with the network, or with what the container is to get; whoever gives something says so. */
const SENSELESS: readonly Case[] = [
  { what: "an MTU of text", input: { mtu: "big" }, code: 7 },
  { what: "a subnet of a number", input: { ipam: { subnet: 7 } }, code: 7 },
  { what: "ranges that are no list", input: { ipam: { ranges: {} } }, code: 7 },
  { what: "a range without a subnet", input: { ipam: { ranges: [[{}]] } }, code: 7 },
  { what: "a route without a destination", input: { ipam: { subnet: "10.0.0.0/24", routes: [{}] } }, code: 7 },
  {
    what: "a route of another table",
    input: { ipam: { subnet: "10.0.0.0/24", routes: [{ dst: "10.9.0.0/16", table: 100 }] } },
    code: 2,
  },
  {
    what: "a route with an MTU",
    input: { ipam: { subnet: "10.0.0.0/24", routes: [{ dst: "10.9.0.0/16", mtu: 1400 }] } },
    code: 2,
  },
  { what: "a file of servers that is none", input: { ipam: { subnet: "10.0.0.0/24", resolvConf: "/none" } }, code: 7 },
  { what: "a VLAN", input: { vlan: 7 }, code: 2 },
  { what: "both bridge modes", input: { hairpinMode: true, promiscMode: true }, code: 7 },
  { what: "a policy that is none", input: { ingressPolicy: "x" }, code: 7 },
  { what: "a delegate that climbs", input: { ipam: { type: "../x" } }, code: 7 },
  { what: "a delegate that is not there", input: { ipam: { type: "nobody" } }, code: 7 },
  { what: "ports that are no list", input: { runtimeConfig: { portMappings: {} } }, code: 7 },
  { what: "a port without the container's", input: { runtimeConfig: { portMappings: [{ hostPort: 1 }] } }, code: 7 },
  { what: "a rate of text", input: { runtimeConfig: { bandwidth: { ingressRate: "x" } } }, code: 7 },
  { what: "a sysctl of a number", input: { sysctl: { "net.core.somaxconn": 1 } }, code: 7 },
]

async function call(run: typeof runCni, env: Readonly<Record<string, string>>, input: unknown) {
  const out: string[] = []
  const asked: string[] = []
  const engine = new Proxy(
    {},
    {
      get: (_, key) =>
        key === Symbol.asyncDispose
          ? async () => undefined
          : key === "then"
            ? undefined
            : () => {
                asked.push(String(key))
                throw new Error("the engine was asked")
              },
    },
  )
  const status = await run({
    env,
    readInput: async () => (typeof input === "string" ? input : JSON.stringify(input)),
    out: async (text) => out.push(String(text)) > 0,
    err: () => undefined,
    open: async () => engine as never,
  })
  return { status, asked, answer: JSON.parse(out.join("")) as { code: number; msg: string; cniVersion: string } }
}

describe.each(VERSIONS.flatMap((version) => COMMANDS.map((command): [Command, Version] => [command, version])))(
  "%s in %s",
  (command, version) => {
    const config = { cniVersion: version, name: "lab", type: "linkspan" }
    const env = { CNI_COMMAND: command, ...VALUES }
    const isKnown = isAtLeast(version, SINCE[command])

    test.each(cases(command, config).filter(({ only }) => only?.includes(command) ?? true))(
      "$what",
      async ({ env: changed = {}, input = config, code }) => {
        for (const run of [runCni, runCniIpam]) {
          const { status, asked, answer } = await call(run, { ...env, ...changed }, input)
          // What is wrong deeper in is not looked at where the version has no such verb.
          expect([status, answer.code]).toEqual([1, isKnown || [4, 6].includes(code) || answer.code === 7 ? code : 1])
          expect(VERSIONS).toContain(answer.cniVersion as Version)
          expect([asked, answer.msg === ""]).toEqual([[], false])
        }
      },
    )

    if (!isKnown) {
      test("which has no such verb", async () => {
        expect((await call(runCni, env, config)).answer).toMatchObject({ code: 1, cniVersion: expect.any(String) })
      })
    }

    if (command === "ADD") {
      test.each(SENSELESS)("$what", async ({ input, code }) => {
        const { asked, answer } = await call(runCni, env, {
          ipam: { subnet: "10.0.0.0/24" },
          ...config,
          ...(input as object),
        })
        expect([answer.code, answer.cniVersion, asked]).toEqual([code, version, []])
      })
    }
  },
)
