import { describe, expect, test } from "bun:test"
import { runCni } from "./door.ts"
import { VERSIONS } from "./versions.ts"

const ATTACHMENT = { CNI_CONTAINERID: "c1", CNI_NETNS: "/run/netns/x", CNI_IFNAME: "eth0", CNI_PATH: "/opt/cni/bin" }
const CONFIG = { cniVersion: "1.1.0", name: "lab", type: "linkspan" }

/** Nothing here gets as far as the engine. */
async function call(env: Record<string, string>, input: unknown = CONFIG) {
  const out: string[] = []
  const err: string[] = []
  const status = await runCni({
    env,
    readInput: async () => (typeof input === "string" ? input : JSON.stringify(input)),
    out: async (text) => out.push(String(text)) > 0,
    err: (text) => void err.push(text),
    open: () => Promise.reject(new Error("the engine was opened")),
  })
  return {
    status,
    out: out.join(""),
    err: err.join(""),
    answer: out.length === 0 ? undefined : JSON.parse(out.join("")),
  }
}

test("VERSION reads nothing and opens nothing", async () => {
  const { status, answer } = await call({ CNI_COMMAND: "VERSION" }, "this is no JSON")
  expect(status).toBe(0)
  expect(answer).toEqual({ cniVersion: "1.1.0", supportedVersions: ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] })
})

test("without a command it says what it is, where people look", async () => {
  const { status, out, err } = await call({ CNI_COMMAND: "" })
  expect({ status, out }).toEqual({ status: 0, out: "" })
  expect(err).toContain("0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0")
})

describe("each mistake has its code, and the engine never hears of it", () => {
  const add = { CNI_COMMAND: "ADD", ...ATTACHMENT }
  const without = (...names: string[]): Record<string, string> =>
    Object.fromEntries(Object.entries(add).filter(([name]) => !names.includes(name)))
  test.each<[string, Record<string, string>, unknown, number, string]>([
    ["a command that is none", { ...add, CNI_COMMAND: "PLUG" }, CONFIG, 4, 'CNI_COMMAND="PLUG" is unknown'],
    ["two missing variables", without("CNI_NETNS", "CNI_PATH"), CONFIG, 4, "missing: CNI_NETNS, CNI_PATH"],
    ["an empty variable", { ...add, CNI_IFNAME: "" }, CONFIG, 4, "missing: CNI_IFNAME"],
    ["GC without CNI_PATH", { CNI_COMMAND: "GC" }, CONFIG, 4, "missing: CNI_PATH"],
    ["a container id that climbs", { ...add, CNI_CONTAINERID: "../x" }, CONFIG, 4, "CNI_CONTAINERID"],
    ["a long interface name", { ...add, CNI_IFNAME: "a".repeat(16) }, CONFIG, 4, "CNI_IFNAME"],
    ["an interface name with a slash", { ...add, CNI_IFNAME: "a/b" }, CONFIG, 4, "CNI_IFNAME"],
    ["an interface name that is a directory", { ...add, CNI_IFNAME: ".." }, CONFIG, 4, "CNI_IFNAME"],
    ["CNI_ARGS that are none", { ...add, CNI_ARGS: "IgnoreUnknown=1;what" }, CONFIG, 4, '"what"'],
    ["nothing on standard input", add, "", 6, "Cannot read the network configuration"],
    ["half a document", add, '{"name":', 6, "Cannot read the network configuration"],
    ["a list", add, "[]", 6, "no JSON object"],
    ["no name", add, { cniVersion: "1.1.0", type: "linkspan" }, 7, 'has no "name"'],
    ["a name that climbs", add, { ...CONFIG, name: "../../etc" }, 7, "is invalid"],
    ["a version of the future", add, { ...CONFIG, cniVersion: "2.0.0" }, 1, '"2.0.0"'],
    ["no version, which is 0.1.0", add, { name: "lab", type: "linkspan" }, 1, '"0.1.0"'],
    [
      "CHECK before there was one",
      { ...add, CNI_COMMAND: "CHECK" },
      { ...CONFIG, cniVersion: "0.3.1" },
      1,
      "has no CHECK",
    ],
    ["GC before there was one", { ...add, CNI_COMMAND: "GC" }, { ...CONFIG, cniVersion: "1.0.0" }, 1, "has no GC"],
    ["STATUS before there was one", { ...add, CNI_COMMAND: "STATUS" }, { ...CONFIG, cniVersion: "0.4.0" }, 1, "STATUS"],
  ])("%s", async (_, env, input, code, message) => {
    const { status, answer } = await call(env, input)
    expect(status).toBe(1)
    expect(answer).toMatchObject({ code, msg: expect.stringContaining(message) })
    expect(VERSIONS).toContain(answer.cniVersion)
  })

  test("a failure behind them is answered too", async () => {
    const { status, answer } = await call(add, { ...CONFIG, cniVersion: "0.4.0" })
    expect(status).toBe(1)
    expect(answer).toEqual({ cniVersion: "0.4.0", code: 999, msg: "Internal error: the engine was opened" })
  })
})
