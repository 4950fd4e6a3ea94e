// Containers that linkspan runs, by the command line as a user types it; and the demo.

import { expect, test } from "bun:test"
import { join } from "node:path"
import { needs } from "../features.ts"
import { Host } from "../host.ts"
import { run } from "../run.ts"

const ROOT = join(import.meta.dir, "../..")

test("run, ps, exec, logs, stop and rm", async () => {
  await using host = await Host.create()
  const cli = async (...args: string[]) => (await host.cli(args)).ok().stdout.trim()
  await cli("network", "create", "web", "--subnet", "10.63.0.0/24")
  const inside = await host.cli([
    "run",
    "--network",
    "web",
    "--name",
    "one",
    "--",
    "sh",
    "-c",
    "hostname; ip -br -4 address show eth0; exit 7",
  ])
  expect(inside.code).toBe(7)
  expect(inside.stdout).toContain("one\n")
  expect(inside.stdout).toContain("10.63.0.2/24")
  expect(await cli("ps", "-a", "-q")).toBe("")

  expect(
    await cli(
      "run",
      "-d",
      "--network",
      "web",
      "--name",
      "two",
      "--",
      "sh",
      "-c",
      "echo out; echo err >&2; exec sleep 100",
    ),
  ).toBe("two")
  const [listed] = JSON.parse(await cli("ps", "-o", "json"))
  expect(listed).toMatchObject({
    name: "two",
    status: "running",
    networks: [{ network: "web", addresses: ["10.63.0.3/24"] }],
  })
  expect(await cli("exec", "two", "--", "ip", "-br", "-4", "address", "show", "eth0")).toContain("10.63.0.3/24")
  expect((await host.cli(["rm", "two"])).code).toBe(5)
  await cli("stop", "two")
  expect(await cli("logs", "two")).toBe("out\nerr")
  expect(JSON.parse(await cli("ps", "-a", "-o", "json"))).toMatchObject([{ status: "exited", exitCode: 143 }])
  await cli("rm", "two")

  expect((await host.cli(["run", "--network", "web", "--", "no-such-program"])).code).toBe(127)
  expect((await host.cli(["run", "--network", "nowhere", "--", "true"])).code).toBe(3)
  expect(await cli("run", "--network", "none", "--", "ip", "-br", "link")).toMatch(/^lo\s/)
  expect(await cli("run", "--network", "host", "--", "ip", "-br", "link")).toContain("uplink")
  await cli("run", "-d", "--network", "web", "--name", "base", "--", "sleep", "100")
  expect(await cli("run", "--network", "container:base", "--", "ip", "-br", "address")).toContain("10.63.0.")
  await cli("rm", "--force", "base")
  await cli("network", "rm", "web")
})

test("what is run has no rights over the host's network, and cannot see its namespaces", async () => {
  await using host = await Host.create()
  const script = "grep CapEff /proc/self/status; ls /run/netns 2>&1; ip link add x type bridge 2>&1; true"
  const { stdout } = (await host.cli(["run", "--network", "none", "--", "sh", "-c", script])).ok()
  const capabilities = BigInt(`0x${/CapEff:\s+([0-9a-f]+)/.exec(stdout)?.[1]}`)
  for (const [name, bit] of [
    ["NET_ADMIN", 12n],
    ["NET_RAW", 13n],
    ["SYS_ADMIN", 21n],
  ] as const) {
    expect([name, (capabilities >> bit) & 1n]).toEqual([name, 0n])
  }
  expect(stdout).not.toContain(host.name)
  expect(stdout).toContain("not permitted")
})

test("the demo shows the main job and leaves nothing", async () => {
  await using host = await Host.create()
  const ran = (await host.cli(["demo", "-o", "json"], { timeoutMs: 120_000 })).ok()
  const { ok, steps } = ran.json<{ ok: boolean; steps: { expected: string; answers: { ok: boolean }[] }[] }>()
  expect(ok).toBe(true)
  expect(steps.map(({ expected, answers }) => [expected, ...answers.map((answer) => answer.ok)])).toEqual([
    ["passes", true, true],
    ["passes", true, true],
    ["passes", true, true],
    ["refused", false, false],
  ])
})

needs("unprivileged-user-namespaces")("the demo runs without root", async () => {
  const bun = process.execPath
  const ran = await run(
    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", bun, join(ROOT, "src/main.ts"), "demo"],
    { timeoutMs: 120_000, cwd: "/" },
  )
  expect(ran.stdout).toContain("Everything went as it should")
})
