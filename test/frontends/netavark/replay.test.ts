// Every call that Podman 4.3, 5.8 and 6.1 made in a lab session, made again: the same input must have the answer that
// the netavark of that Podman gave, but for MAC addresses, which each chooses for itself.

import { expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { Bundle } from "../../bundle.ts"
import { Host } from "../../host.ts"
import type { Netns } from "../../netns.ts"
import { run } from "../../run.ts"
import { MAIN, netavark } from "./call.ts"

interface Call {
  readonly verb: string
  readonly args: readonly string[]
  readonly stdin: unknown
  readonly stdout: unknown
  readonly rc: number
}

interface Capture {
  readonly podman: string
  readonly scenarios: readonly { readonly scenario: string; readonly calls: readonly Call[] }[]
}

/** Where we answer something else, and why. */
const DIFFERENCES: Readonly<
  Record<string, { readonly rc: number; readonly error?: string; readonly because: string }>
> = {
  "10.42.0.254": {
    rc: 1,
    error: "is the gateway",
    because: "the gateway's address is no container's (Podman 6 refuses it itself)",
  },
  "8086": {
    rc: 1,
    error: 'published by container "p1"',
    because: "the port is taken, which Podman finds out only afterwards",
  },
}

test.each(["podman-4.3.1-rootful", "podman-5.8.6-rootful", "podman-6.1.1-rootful"])("%s", async (name) => {
  const file = new URL(`../../fixtures/netavark/${name}.json`, import.meta.url).pathname
  const capture = JSON.parse(readFileSync(file, "utf8")) as Capture
  using bundle = await Bundle.of(MAIN)
  await using host = await Host.create()
  ;(await run(host.enter(["ip", "link", "add", "hosteth0", "type", "bridge"]))).ok()
  ;(await run(host.enter(["ip", "link", "set", "hosteth0", "up"]))).ok()
  ;(await run(host.enter(["ip", "link", "add", "brun", "type", "bridge"]))).ok()
  ;(await run(host.enter(["ip", "address", "add", "10.45.0.250/24", "dev", "brun"]))).ok()
  ;(await run(host.enter(["ip", "link", "set", "brun", "up"]))).ok()
  const config = host.file("networks")
  mkdirSync(config)
  const namespaces = new Map<string, Netns>()
  for (const { scenario, calls } of capture.scenarios) {
    for (const { verb, args, stdin, stdout, rc } of calls.filter((call) => call.verb !== "create")) {
      const path = args[0] ?? ""
      if (verb !== "update" && !namespaces.has(path)) {
        namespaces.set(path, await host.netns(`n${namespaces.size}`))
      }
      const given = verb === "update" ? args : [namespaces.get(path)?.path ?? ""]
      const ran = await netavark(host, [verb, ...given], {
        config,
        input: stdin,
        aardvark: "/bin/true",
        program: bundle.path,
      })
      const difference = verb === "setup" ? differenceOf(stdin) : undefined
      if (difference !== undefined) {
        expect({ scenario, code: ran.code }).toEqual({ scenario, code: difference.rc })
        expect(ran.json<{ error: string }>().error).toContain(difference.error ?? "")
      } else {
        expect({ scenario, code: ran.code, said: withoutMacs(ran.stdout === "" ? null : ran.json()) }).toEqual({
          scenario,
          code: rc,
          said: withoutMacs(stdout),
        })
      }
    }
  }
  expect(existsSync(`${config}/aardvark-dns/n1`)).toBe(false)
  for (const link of ["hosteth0", "brun"]) {
    ;(await run(host.enter(["ip", "link", "del", link]))).ok()
  }
})

function differenceOf(stdin: unknown): (typeof DIFFERENCES)[string] | undefined {
  const { networks, port_mappings, container_name } = stdin as {
    readonly networks: Readonly<Record<string, { readonly static_ips?: readonly string[] }>>
    readonly port_mappings?: readonly { readonly host_port: number }[]
    readonly container_name: string
  }
  const ip = Object.values(networks)
    .flatMap(({ static_ips }) => static_ips ?? [])
    .find((each) => each in DIFFERENCES)
  const port = port_mappings?.find(({ host_port }) => String(host_port) in DIFFERENCES)?.host_port
  return ip === undefined
    ? port !== undefined && container_name === "p2"
      ? DIFFERENCES[String(port)]
      : undefined
    : DIFFERENCES[ip]
}

function withoutMacs(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer), (key, value) => (key === "mac_address" ? "" : value))
}
