// Names by linkspan: that many attached containers, each with its own socket at 127.0.0.11, where container 0 asks. The
// executable attaches the first one and so starts the daemon; the library attaches the others, which is faster.

import { readdirSync, readFileSync } from "node:fs"
import { Linkspan } from "../../src/index.ts"
import { askServer } from "../../src/kernel/unix-call.ts"
import type { Contender, Start } from "../contender.ts"
import { run, timed } from "../lab.ts"
import { asking, serveOutside } from "../names.ts"

const PROGRAM = process.env["LINKSPAN_BENCH_EXECUTABLE"] ?? "linkspan"
const RUN_DIR = "/run/linkspan"

/** Milliseconds until what has changed is in force. */
function announce(): number {
  const began = performance.now()
  const answer = askServer(RUN_DIR, "names.sock", { line: "sync", timeoutMs: 5000 })
  if (answer?.trim() !== "done") {
    throw new Error(`The daemon does not answer: ${readFileSync(`${RUN_DIR}/names.log`, "utf8")}`)
  }
  return performance.now() - began
}

function daemonPid(): number {
  const commandLine = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8")
    } catch {
      // It has ended since.
      return ""
    }
  }
  return Number(readdirSync("/proc").find((pid) => commandLine(pid).includes("\0dns\0serve\0")))
}

export const start: Start = async ({ dir, namespaces }) => {
  await serveOutside(dir)
  const linkspan = await Linkspan.open({ stateDir: dir, runDir: RUN_DIR, names: false })
  await linkspan.networks.create({ name: "bench", subnets: [{ prefix: "10.76.0.0/16" }] })
  const request = (n: number) => ({
    name: `c${n}`,
    netns: { kind: "path", path: namespaces[n] ?? "" } as const,
    networks: [{ network: "bench" }],
  })
  // The last namespace is for one that comes and goes.
  const last = namespaces.length - 1
  const names = Array.from({ length: last }, (_, n) => `c${n}`)
  const env = { LINKSPAN_STATE_DIR: dir, LINKSPAN_RUN_DIR: RUN_DIR }
  await timed({ cmd: [PROGRAM, "attach", "c0", "--netns", namespaces[0] ?? "", "--network", "bench"], env })
  for (let n = 1; n < last; n++) {
    await linkspan.attach(request(n))
  }
  announce()
  const contender: Contender = {
    version: (await run(PROGRAM, "--version")).trim(),
    attach: () => Promise.resolve(0),
    detach: () => Promise.resolve(0),
    extra: {
      ...(await asking({ dir, from: namespaces[0] ?? "", server: "127.0.0.11", names, pid: daemonPid() })),
      async join() {
        await linkspan.attach(request(last))
        return announce()
      },
      async leave() {
        await linkspan.detach(`c${last}`)
        return announce()
      },
    },
    async close() {
      await linkspan[Symbol.asyncDispose]()
      await timed({ cmd: [PROGRAM, "dns", "serve", "--stop"], env })
    },
  }
  return contender
}
